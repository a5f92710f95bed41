// Totals, shares, alerts, and the state of the connection.

import { byId, foreign, make, setForeign, setText } from "./dom.js";
import { compact, duration, exact, signed, whole } from "./format.js";

const OVER = { "1m": "1 minute", "1h": "1 hour", session: "session" };

/**
 * @param {Msg.Snapshot} shown
 * @param {import("./format.js").Clock} clock
 */
export function drawTotals(shown, clock) {
	const table = byId("totals", HTMLTableElement);
	if (!table.tHead) {
		const heads = ["Over", "Long", "", "Short", "Delta", "Missing"];
		table.append(
			make(
				"thead",
				{},
				make(
					"tr",
					{},
					...heads.map((name) =>
						name
							? make("th", { scope: "col", class: name === "Over" || name === "Missing" ? "" : "number" }, name)
							: make("td"),
					),
				),
			),
			make("tbody"),
		);
	}
	const body = /** @type {HTMLTableSectionElement} */ (table.tBodies[0]);
	while (body.rows.length < shown.totals.length) {
		body.append(
			make(
				"tr",
				{},
				make("th", { scope: "row" }),
				make("td", { class: "number long" }),
				make("td", { class: "split" }, bar()),
				make("td", { class: "number short" }),
				make("td", { class: "number" }),
				make("td", { class: "missing" }),
			),
		);
	}
	while (body.rows.length > shown.totals.length) body.lastElementChild?.remove();
	for (const [index, each] of shown.totals.entries()) {
		const cells = /** @type {HTMLElement[]} */ ([.../** @type {HTMLTableRowElement} */ (body.rows[index]).cells]);
		const [over, long, split, short, delta, missing] = cells;
		if (!over || !long || !split || !short || !delta || !missing) continue;
		setText(over, OVER[each.over]);
		over.title = `since ${clock.full(each.since)}; ${whole(each.liquidations)} liquidations, ${whole(each.trades)} trades`;
		setText(long, compact(each.long));
		long.title = `${exact(each.long)} USD`;
		setText(short, compact(each.short));
		short.title = `${exact(each.short)} USD`;
		setText(delta, each.trades ? signed(each.buy - each.sell) : "–");
		const count = each.incomplete_windows;
		setText(missing, count ? `in ${whole(count)} window${count === 1 ? "" : "s"}` : "nothing");
		missing.classList.toggle("warn", count > 0);
		setBar(split.firstElementChild, each.long, each.short, each.long + each.short);
	}
}

function bar() {
	return make(
		"span",
		{ class: "bar", "aria-hidden": "true" },
		make("i", { class: "long" }),
		make("i", { class: "short" }),
	);
}

/**
 * @param {Element | null} element
 * @param {number} long
 * @param {number} short
 * @param {number} whole_
 */
function setBar(element, long, short, whole_) {
	for (const [index, value] of [long, short].entries()) {
		const part = element?.children[index];
		if (part instanceof HTMLElement) part.style.width = `${whole_ > 0 ? ((100 * value) / whole_).toFixed(1) : 0}%`;
	}
}

/**
 * A list of shares, the largest first, each as a bar of long and short.
 * @param {string} id
 * @param {Msg.Share[]} shares
 * @param {number} most  how many are shown
 * @param {((name: string) => void) | null} pick
 * @param {string | null} picked
 */
export function drawShares(id, shares, most, pick, picked) {
	const list = byId(id, HTMLElement);
	const all = shares.reduce((sum, each) => sum + each.long + each.short, 0);
	const largest = Math.max(1, ...shares.map((each) => each.long + each.short));
	const first = shares.slice(0, most);
	if (!first.length) {
		if (!list.querySelector(".note")) list.replaceChildren(make("li", { class: "note" }, "No liquidations yet."));
		return;
	}
	list.querySelector(".note")?.remove();
	while (list.children.length < first.length) {
		const name = pick ? make("button", { type: "button", class: "plain" }, foreign()) : make("span", {}, foreign());
		name.addEventListener("click", () => pick?.(name.dataset.name ?? ""));
		list.append(
			make("li", {}, name, bar(), make("span", { class: "number volume" }), make("span", { class: "number share" })),
		);
	}
	while (list.children.length > first.length) list.lastElementChild?.remove();
	for (const [index, each] of first.entries()) {
		const [name, split, volume, share] = /** @type {HTMLElement[]} */ ([
			.../** @type {Element} */ (list.children[index]).children,
		]);
		if (!name || !split || !volume || !share) continue;
		name.dataset.name = each.name;
		setForeign(/** @type {HTMLElement} */ (name.firstElementChild), each.name);
		if (pick) name.setAttribute("aria-pressed", String(each.name === picked));
		const sum = each.long + each.short;
		setText(volume, compact(sum));
		volume.title = `long ${exact(each.long)}, short ${exact(each.short)} USD; ${whole(each.events)} events`;
		setText(share, all > 0 ? `${((100 * sum) / all).toFixed(0)}%` : "");
		setBar(split, each.long, each.short, largest);
	}
}

/**
 * @param {Msg.Alert[]} alerts
 * @param {import("./format.js").Clock} clock
 */
export function drawAlerts(alerts, clock) {
	const items = alerts
		.slice(-50)
		.reverse()
		.map((each) =>
			make(
				"li",
				{},
				make("span", { class: "time" }, clock.time(each.time)),
				" ",
				make("bdi", {}, each.text.slice(0, 400)),
			),
		);
	byId("alerts", HTMLElement).replaceChildren(...(items.length ? items : [make("li", { class: "note" }, "None yet.")]));
}

/**
 * The connection of the feed, and what it lost, in words.
 * @param {Msg.Connection} connection
 */
export function drawConnection(connection) {
	const state = byId("state", HTMLElement);
	setText(state, connection.state);
	state.dataset.state = connection.state;
	setText(byId("state-text", HTMLElement), connection.text.slice(0, 300));
	const lost = [
		connection.gap_ms ? `no reception for ${duration(connection.gap_ms)} in all` : "",
		connection.dropped ? `${whole(connection.dropped)} events dropped by a slow consumer` : "",
		connection.malformed ? `${whole(connection.malformed)} malformed` : "",
		connection.late ? `${whole(connection.late)} too late` : "",
	].filter(Boolean);
	const told = {
		Behind: connection.lag_ms === null ? "unknown" : duration(Math.max(0, connection.lag_ms)),
		"Round trip": connection.round_trip_ms === null ? "unknown" : duration(connection.round_trip_ms),
		Events: `${whole(connection.events)}, ${compact(connection.rate)} a second`,
		Reconnects: whole(connection.reconnects),
		Lost: lost.join("; ") || "nothing",
	};
	const list = byId("health", HTMLElement);
	for (const [name, text] of Object.entries(told)) {
		let value = list.querySelector(`[data-name="${name}"]`);
		if (!value) {
			value = make("dd", { "data-name": name });
			list.append(make("div", {}, make("dt", {}, name), value));
		}
		setText(value, text);
	}
	list.querySelector('[data-name="Lost"]')?.classList.toggle("warn", lost.length > 0);
}
