// The waterfall between two instants of a tape: which cells there are, and what each is made of.
import { field, money, sums } from "./tape.js";

function standing(scene) {
  return scene.deals.flatMap((seen, deal) => (seen?.[field.PIPELINE] ? [{ deal, amount: seen[field.AMOUNT], currency: seen[field.CURRENCY], position: seen[field.POSITION], what: "" }] : []));
}

// The entries of each cell that lie after one place and up to another.
function partsBetween(film, first, last) {
  const parts = new Map([["opening", standing(first)], ["closing", standing(last)]]);
  for (const [at, cell, deal, amount, currency, position, type] of film.tape.entries) {
    if (at <= first.place) continue;
    if (at > last.place) break;
    const name = film.tape.cells[cell];
    if (!parts.has(name)) parts.set(name, []);
    parts.get(name).push({ deal, amount, currency, position, what: film.types[type] });
  }
  return parts;
}

function summed(parts) {
  const found = new Map();
  for (const { amount, currency } of parts) if (amount !== null && currency !== null) found.set(currency, (found.get(currency) ?? 0n) + BigInt(amount));
  return found;
}

function percent(part, whole) {
  return whole ? Math.round((part / whole) * 10_000) / 100 : 0;
}

// The cells in the order of the identity, with their bars in per cent; the empty ones left out.
export function waterfall(film, first, last) {
  const parts = partsBetween(film, first, last);
  let running = 0;
  const found = [];
  for (const [key, name, sign] of film.cells) {
    const told = parts.get(key) ?? [];
    if (!told.length && sign) continue;
    const worths = summed(told);
    const worth = Number(worths.get(film.main) ?? 0n);
    let low = 0;
    if (sign) low = sign > 0 ? running : running - worth;
    running = key === "opening" ? worth : running + sign * worth;
    const units = [...worths].sort(([a], [b]) => a - b);
    found.push({ key, name, sign, low, worth, parts: told, deals: new Set(told.map((one) => one.deal)).size, amount: sums(film, units) });
  }
  const top = Math.max(0, ...found.map(({ low, worth }) => low + worth));
  return found.map((cell) => ({ ...cell, left: percent(cell.low, top), width: percent(cell.worth, top) }));
}

export function partAmount(film, part) {
  return part.amount === null || part.currency === null ? "no amount" : money(film, part.currency, part.amount);
}
