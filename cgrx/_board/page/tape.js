// The tape: a bounded table, filtered as the viewer wants it, with the size of each print relative to what was seen.

import { byId, foreign, make, setForeign, setText } from "./dom.js";
import { compact, exact, price, whole } from "./format.js";

const ROWS = 150;

/** @type {Record<Msg.Print["side"], string>} */
const WORDS = { long: "▼ long liq.", short: "▲ short liq.", buy: "△ buy", sell: "▽ sell" };

/** A row of it, to be copied. */
const ROW = make(
	"tr",
	{},
	make("td", { class: "time" }),
	make("td", { class: "side" }),
	make("td", {}, foreign(), " ", foreign()),
	make("td", { class: "number" }),
	make("td"),
);

/**
 * @param {Msg.Print} print
 * @param {import("./settings.js").Settings} wanted
 */
function isShown(print, wanted) {
	return (
		print.volume >= (print.what === "liquidation" ? wanted.liquidation : wanted.trade) &&
		(!wanted.side || print.side === wanted.side) &&
		(!wanted.exchange || print.exchange === wanted.exchange) &&
		(!wanted.symbol || print.symbol.toLowerCase().includes(wanted.symbol.toLowerCase()))
	);
}

export class Tape {
	constructor() {
		const body = byId("prints", HTMLTableElement).tBodies[0];
		if (!body) throw new Error("no body of the tape");
		this._body = body;
		this._said = byId("tape-said", HTMLElement);
		this._exchanges = byId("exchange-filter", HTMLSelectElement);
		/** What each row shows, the newest first. @type {Msg.Print[]} */
		this._prints = [];
		/** @type {import("./format.js").Clock | null} */
		this._clock = null;
		this._known = "";
	}

	/**
	 * @param {Msg.Snapshot} shown
	 * @param {number} skipped
	 * @param {import("./settings.js").Settings} wanted
	 * @param {import("./format.js").Clock} clock
	 */
	draw(shown, skipped, wanted, clock) {
		const { tape } = shown;
		const fits = tape.filter((each) => isShown(each, wanted));
		this._write(fits.slice(-ROWS).reverse(), heat(tape), clock);
		const hidden = tape.length - fits.length;
		const said = [
			`${whole(this._prints.length)} newest of ${whole(fits.length)}`,
			hidden ? `${whole(hidden)} filtered out` : "",
			skipped ? `${whole(skipped)} of the smallest not sent in bursts` : "",
		];
		setText(
			this._said,
			fits.length
				? said.filter(Boolean).join("; ")
				: hidden
					? `Nothing passes the filters; ${whole(hidden)} filtered out`
					: "Nothing yet.",
		);
		this._offer(tape, wanted.exchange);
	}

	/**
	 * Write the rows that differ. What is new pushes the others down: the rows at the end are moved to the top for it.
	 * @param {Msg.Print[]} prints
	 * @param {(volume: number) => number} levels
	 * @param {import("./format.js").Clock} clock
	 */
	_write(prints, levels, clock) {
		const body = this._body;
		while (body.rows.length < prints.length) body.append(ROW.cloneNode(true));
		while (body.rows.length > prints.length) body.lastElementChild?.remove();
		const rows = [...body.rows];
		const before = this._clock === clock ? this._prints : [];
		const fresh = before[0] ? Math.max(0, prints.indexOf(before[0])) : 0;
		const last = rows.splice(rows.length - fresh);
		body.prepend(...last);
		for (const [index, row] of [...last, ...rows].entries()) {
			const print = prints[index];
			if (print && print !== before[index - fresh]) write(row, print, levels(print.volume), clock);
		}
		this._prints = prints;
		this._clock = clock;
	}

	/**
	 * @param {Msg.Print[]} tape
	 * @param {string} chosen
	 */
	_offer(tape, chosen) {
		const names = [...new Set([...tape.map((each) => each.exchange), ...(chosen ? [chosen] : [])])].sort();
		const known = names.join("\n");
		if (known === this._known || document.activeElement === this._exchanges) return;
		this._known = known;
		this._exchanges.replaceChildren(
			make("option", { value: "" }, "all"),
			...names.map((name) => make("option", { value: name }, name.slice(0, 60))),
		);
		this._exchanges.value = chosen;
	}
}

/**
 * How a volume compares with those that were seen: 0 is below their median, 4 the largest hundredth.
 * @param {Msg.Print[]} tape
 */
function heat(tape) {
	const sorted = Float64Array.from(tape, (each) => each.volume).sort();
	const marks = [0.5, 0.8, 0.95, 0.99].map((part) => sorted[Math.floor(part * sorted.length)] ?? Infinity);
	return (/** @type {number} */ volume) => marks.filter((mark) => volume >= mark).length;
}

/**
 * @param {HTMLTableRowElement} row  like `ROW`
 * @param {Msg.Print} print
 * @param {number} level
 * @param {import("./format.js").Clock} clock
 */
function write(row, print, level, clock) {
	const [time, side, where, cost, volume] = row.cells;
	if (!time || !side || !where || !cost || !volume) return;
	const [exchange, symbol] = /** @type {HTMLCollectionOf<HTMLElement>} */ (where.children);
	if (!exchange || !symbol) return;
	row.className = `${print.what} ${print.side}`;
	setText(time, clock.time(print.time));
	setText(side, WORDS[print.side] ?? "");
	setForeign(exchange, print.exchange);
	setForeign(symbol, print.symbol);
	setText(cost, price(print.price));
	setText(volume, compact(print.volume));
	volume.className = `number heat heat-${level}`;
	volume.title = `${exact(print.volume)} USD`;
}
