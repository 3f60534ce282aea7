// What runs along the quarter while it plays. The browser moves it by itself, at the pace of the
// instants, so that it runs as smoothly however long a board takes to be drawn.
const DAY = 86_400e6; // in microseconds, as all instants

export function runnersOn(film) {
  const track = document.querySelector(".track");
  const between = track.querySelector(".between");
  const playheads = [...document.querySelectorAll(".playhead")];
  const widthOf = (part) => part.parentElement.clientWidth;
  const partOf = (instant) => Math.min(1, Math.max(0, (instant - film.start) / (film.end - film.start)));
  let running = [];

  // Lets all of it run from an instant to the end, over the one that is compared with.
  function go({ from, since, speed }, compared) {
    stop();
    if (film.last <= from) return;
    const stops = [from, ...(compared > from && compared < film.last ? [compared] : []), film.last];
    const ways = playheads.map((head) => [head, widthOf(head), (x, width) => `translateX(${x * width}px)`]);
    const a = partOf(compared);
    if (!Number.isNaN(a)) ways.push([between, widthOf(between), (x, width) => `translateX(${Math.min(a, x) * width}px) scaleX(${Math.abs(a - x)})`]);
    const duration = ((film.last - from) / (speed * DAY)) * 1000;
    running = ways.map(([part, width, way]) => {
      const animation = part.animate(stops.map((instant) => ({ offset: (instant - from) / (film.last - from), transform: way(partOf(instant), width) })), { duration, fill: "forwards" });
      animation.startTime = since;
      return animation;
    });
    track.toggleAttribute("data-runs", true);
  }

  function stop() {
    for (const animation of running) animation.cancel();
    running = [];
    track.toggleAttribute("data-runs", false);
  }

  return { go, stop };
}
