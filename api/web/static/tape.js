// Pure functions over the tape of a quarter's board (docs/replay.md). The server decided what
// everything means; here it is looked up by time, and said in the words of the server's own page.
const [SINCE, COLUMN, LABEL, OWNER, AMOUNT, CURRENCY, CLOSE, OFFER, EVIDENCED, HOLLOW, DUE, SHAPED, PIPELINE, POSITION] = Array(14).keys();
export const field = { SINCE, COLUMN, LABEL, OWNER, AMOUNT, CURRENCY, CLOSE, OFFER, EVIDENCED, HOLLOW, DUE, SHAPED, PIPELINE, POSITION };
const MINUS = "\u2212";
const NO_CHANGE = "\u00b10";
const MAX_DOTS = 12;
const SYMBOLS = { EUR: "€", GBP: "£", JPY: "¥", USD: "$" };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

// Microseconds since 1970 of an instant of the server; they are exact as numbers until 2255.
export function micros(text) {
  const [whole, part = "0"] = text.slice(0, -1).split(".");
  return Date.parse(`${whole}Z`) * 1000 + Number(part.padEnd(6, "0"));
}

export function instantText(at) {
  const left = ((at % 1e6) + 1e6) % 1e6;
  const whole = new Date((at - left) / 1000).toISOString().slice(0, 19);
  return left ? `${whole}.${String(left).padStart(6, "0")}Z` : `${whole}Z`;
}

export function prepare(data) {
  const { tape } = data;
  const start = micros(tape.start);
  let at = start;
  const instants = tape.instants.map((delta) => (at += delta));
  const steps = tape.deals.flatMap(([, versions], deal) => versions.map((version, number) => [version[0], deal, number]));
  steps.sort((a, b) => a[0] - b[0] || b[1] - a[1] || b[2] - a[2]);
  return { ...data, tape, instants, first: start, last: micros(tape.end), steps: steps.filter(([since]) => since > 0) };
}

// How many of some sorted values are not after one.
function upto(count, valueAt, value) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function placeOf(film, at) {
  return upto(film.instants.length, (index) => film.instants[index], at) - 1;
}

function versionAt(versions, place) {
  const found = versions[upto(versions.length, (index) => versions[index][0], place) - 1];
  return found && found.length > 1 ? found : null;
}

export function sceneAt(film, at) {
  const place = placeOf(film, at);
  return { at, place, deals: film.tape.deals.map(([, versions]) => versionAt(versions, place)) };
}

export function figure(film, name, place) {
  const series = film.tape.figures[name] ?? [];
  return series[upto(series.length, (index) => series[index][0], place) - 1]?.[1] ?? null;
}

function halfEven(above, under) {
  const whole = above / under;
  const twice = (above % under) * 2n;
  return twice > under || (twice === under && whole % 2n === 1n) ? whole + 1n : whole;
}

function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

// Minor units of one of the tape's currencies, short, as the server rounds them.
export function money(film, currency, units) {
  const [code, digits] = film.tape.currencies[currency];
  const one = 10n ** BigInt(digits);
  const exact = BigInt(units);
  const size = exact < 0n ? -exact : exact;
  let text;
  if (size >= 999_500n * one) {
    const hundredths = String(halfEven(size * 100n, one * 1_000_000n)).padStart(3, "0");
    text = `${grouped(hundredths.slice(0, -2))}.${hundredths.slice(-2)}M`;
  } else if (size >= 1000n * one) text = `${grouped(halfEven(size, one * 1000n))}k`;
  else text = grouped(halfEven(size, one));
  const sign = exact < 0n ? MINUS : "";
  return SYMBOLS[code] ? `${sign}${SYMBOLS[code]}${text}` : `${sign}${text} ${code}`;
}

export function amount(film, seen) {
  return seen[AMOUNT] === null || seen[CURRENCY] === null ? "no amount" : money(film, seen[CURRENCY], seen[AMOUNT]);
}

export function sums(film, units) {
  return units.map(([currency, one]) => money(film, currency, one)).join(" + ") || "none";
}

function withSign(number, text) {
  return `${number > 0 ? "+" : MINUS}${text}`;
}

export function signed(number) {
  return number ? withSign(number, grouped(Math.abs(number))) : NO_CHANGE;
}

function change(film, units) {
  const told = units.filter(([, one]) => one !== 0n);
  return told.map(([currency, one]) => withSign(one, money(film, currency, one < 0n ? -one : one))).join(" ") || NO_CHANGE;
}

function share(part, whole) {
  const above = BigInt(part) * 100n;
  const size = halfEven(above < 0n ? -above : above, BigInt(whole));
  return Number(above < 0n ? -size : size);
}

function dayText(date, withYear = true) {
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}${withYear ? ` ${date.getUTCFullYear()}` : ""}`;
}

function hour(date) {
  return date.toISOString().slice(11, 16);
}

function dateOf(at) {
  return new Date(Math.floor(at / 1000));
}

export function momentText(at) {
  const date = dateOf(at);
  return `${dayText(date)}, ${hour(date)} UTC`;
}

export function clock(at) {
  return `${WEEKDAYS[dateOf(at).getUTCDay()]} ${momentText(at)}`;
}

export function whenText(film, place) {
  const date = dateOf(film.instants[place] ?? film.first);
  return `${dayText(date, false)}, ${hour(date)}`;
}

export function dots(seen) {
  const counts = [seen[EVIDENCED], seen[HOLLOW], seen[DUE]];
  let room = MAX_DOTS;
  const shown = counts.map((count) => {
    const kept = Math.min(count, room);
    room -= kept;
    return kept;
  });
  const labels = ["evidenced", "checkbox-only", "still due"];
  const said = counts.flatMap((count, index) => (count ? [`${count} ${labels[index]}`] : [])).join(", ");
  const leftOut = counts.reduce((a, b) => a + b) - shown.reduce((a, b) => a + b);
  return { shown, leftOut, said: said || "nothing ticked" };
}

export function shapedText(count) {
  return count ? `${count} pressure-shaped` : "";
}

// A name in a sentence, of which it must not turn the rest.
function apart(name) {
  return /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(name) ? `\u2068${name}\u2069` : name;
}

function columnName(film, seen) {
  return apart(film.tape.columns[seen[COLUMN]][1]);
}

function offer(film, seen) {
  return seen[OFFER] === null ? "none" : `${film.tape.discounts[seen[OFFER]]}%`;
}

function days(film, before, after) {
  const [was, stands] = [before, after].map((day) => (day === null ? null : new Date(`${film.tape.days[day]}T00:00:00Z`)));
  const sameYear = was && stands && was.getUTCFullYear() === stands.getUTCFullYear();
  return `${was ? dayText(was, !sameYear) : "unknown"} to ${stands ? dayText(stands) : "unknown"}`;
}

// What is different of a deal, and whether more of it is pressure-shaped.
export function changed(film, before, after) {
  if (!after) return { text: before ? "no longer on the board" : "", hot: false };
  if (!before) return { text: `came to the board: ${columnName(film, after)}`, hot: after[SHAPED] > 0 };
  const bits = [];
  if (before[COLUMN] !== after[COLUMN]) bits.push(`${columnName(film, before)} to ${columnName(film, after)}`);
  if (before[AMOUNT] !== after[AMOUNT] || before[CURRENCY] !== after[CURRENCY]) bits.push(`${amount(film, before)} to ${amount(film, after)}`);
  if (before[CLOSE] !== after[CLOSE]) bits.push(`close ${days(film, before[CLOSE], after[CLOSE])}`);
  if (before[OWNER] !== after[OWNER]) bits.push(`${apart(film.tape.owners[before[OWNER]])} to ${apart(film.tape.owners[after[OWNER]])}`);
  if (before[OFFER] !== after[OFFER]) bits.push(`discount ${offer(film, before)} to ${offer(film, after)}`);
  const ticked = (seen) => seen[EVIDENCED] + seen[HOLLOW] + seen[DUE];
  const more = after[SHAPED] - before[SHAPED];
  const counts = [[ticked(after) - ticked(before), "ticked"], [after[EVIDENCED] - before[EVIDENCED], "evidenced"], [after[HOLLOW] - before[HOLLOW], "checkbox-only"], [more, "pressure-shaped"]];
  for (const [number, word] of counts) if (number) bits.push(`${signed(number)} ${word}`);
  return { text: bits.join("; "), hot: more > 0 };
}

function same(a, b) {
  return a === b || (a && b && a.every((value, index) => value === b[index]));
}

function sinceOf(film, deal, place) {
  const versions = film.tape.deals[deal][1];
  return versions[upto(versions.length, (index) => versions[index][0], place) - 1]?.[0] ?? -1;
}

// The deals that differ between two scenes, the last to change first.
export function rowsBetween(film, a, b) {
  const rows = [];
  for (let deal = 0; deal < a.deals.length; deal += 1) {
    if (same(a.deals[deal], b.deals[deal])) continue;
    const { text, hot } = changed(film, a.deals[deal], b.deals[deal]);
    if (text) rows.push({ deal, text, hot, since: sinceOf(film, deal, b.place) });
  }
  return rows.sort((one, other) => other.since - one.since || one.deal - other.deal);
}

// The last changes by a place, the newest first.
export function latestRows(film, place, limit) {
  const rows = [];
  for (let index = upto(film.steps.length, (i) => film.steps[i][0], place) - 1; index >= 0 && rows.length < limit; index -= 1) {
    const [since, deal, number] = film.steps[index];
    const versions = film.tape.deals[deal][1];
    const [before, after] = [versions[number - 1], versions[number]].map((version) => (version && version.length > 1 ? version : null));
    const { text, hot } = changed(film, before, after);
    if (text) rows.push({ deal, text, hot, since });
  }
  return rows;
}

function amounts(film, name, place) {
  return film.tape.currencies.map(([code], index) => [index, BigInt(figure(film, `${name} ${code}`, place) ?? 0)]);
}

function attainedShare(film, place) {
  const quota = figure(film, "quota", place);
  const attained = figure(film, "attained", place);
  return Number(quota) && attained !== null ? share(attained, quota) : null;
}

export function planShare(film, at) {
  return share(Math.max(0, at - film.start), film.end - film.start);
}

// The five figures: what each is, and what stands below it.
export function figures(film, now, then) {
  const since = !then || now.at >= then.at ? "since A" : "against A";
  const count = (name) => figure(film, name, now.place) ?? 0;
  const more = (name) => `${signed(count(name) - (figure(film, name, then.place) ?? 0))} ${since}`;
  const attained = attainedShare(film, now.place);
  const before = then && attainedShare(film, then.place);
  const nonZero = (units) => units.filter(([, one]) => one);
  const opened = amounts(film, "open", now.place);
  const booked = figure(film, "attained", now.place);
  let below = attained === null ? "" : `plan ${planShare(film, now.at)}%`;
  if (then) below = attained === null || before === null ? "" : `${signed(attained - before)} pts ${since}`;
  const opening = then && amounts(film, "open", then.place);
  return {
    attainment: [attained === null ? "unknown: no quota" : `${attained}%`, below],
    open: [sums(film, nonZero(opened)), then ? `${change(film, opened.map(([c, one], i) => [c, one - opening[i][1]]))} ${since}` : `${sums(film, nonZero(amounts(film, "due", now.place)))} due in it`],
    won: [`${grouped(count("won"))} ${count("won") === 1 ? "deal" : "deals"}`, then ? more("won") : booked === null || film.quota_currency === null ? "in the quarter" : `${money(film, film.quota_currency, booked)} booked`],
    hollow: [grouped(count("checkbox_only")), then ? more("checkbox_only") : "of open deals"],
    shaped: [grouped(count("shaped")), then ? more("shaped") : "in the quarter so far"],
  };
}
