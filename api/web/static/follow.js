// Follows the log: tells each event after a position as it comes. The stream ends in a hidden tab and
// goes on from the last event when it is shown again; after a failure each wait is twice the last.
const STREAM = "/v1/events/stream";
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const SILENT_MS = 40_000; // the server says that it is there every 15 seconds

async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    yield blocks.flatMap((block) => block.match(/^data: (.*)$/m)?.[1] ?? []).map((data) => JSON.parse(data));
  }
}

// `told` is given events, `refused` is called once the reader may follow no more.
export function follower(told, refused) {
  let last = null; // the position to go on from, null while nothing is followed
  let running = null;
  let wait = FIRST_WAIT_MS;
  let timer = 0;

  function pause() {
    clearTimeout(timer);
    running?.abort();
    running = null;
  }

  function resume() {
    if (last === null || running || document.hidden) return;
    clearTimeout(timer);
    run((running = new AbortController()));
  }

  async function run(own) {
    let silence = 0;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => own.abort("silent"), SILENT_MS);
    };
    try {
      heard();
      const answer = await fetch(STREAM, { headers: { "Last-Event-ID": String(last) }, signal: own.signal, cache: "no-store" });
      if (answer.status === 204 || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) {
        last = null;
        if (answer.status === 401 || answer.status === 403) refused();
      } else if (answer.ok) {
        for await (const events of messages(answer.body)) {
          heard();
          wait = FIRST_WAIT_MS;
          if (!events.length) continue;
          last = events.at(-1).position;
          told(events);
        }
      }
    } catch {
      // Away, or ended by us: what follows tells them apart.
    }
    clearTimeout(silence);
    if (running !== own) return;
    running = null;
    if (last === null) return;
    timer = setTimeout(resume, wait * (0.5 + Math.random() / 2));
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : resume()));
  addEventListener("pagehide", pause);
  addEventListener("pageshow", resume);
  return {
    from(position) {
      pause();
      last = position;
      wait = FIRST_WAIT_MS;
      resume();
    },
    stop() {
      last = null;
      pause();
    },
  };
}
