// The page: takes in what the board says, lets what has changed be drawn, and says what the viewer asks for.

import { Chart } from "./chart.js";
import { SPECS } from "./charts.js";
import { byId, make, setText } from "./dom.js";
import { Clock, compact, parse } from "./format.js";
import { Live } from "./live.js";
import { drawAlerts, drawConnection, drawShares, drawTotals } from "./panels.js";
import { Player } from "./player.js";
import { drawQuality, MEANING, QUALITIES } from "./quality.js";
import { keep, loaded } from "./settings.js";
import { PARTS, Store } from "./store.js";
import { Tape } from "./tape.js";
import { colours, wear } from "./theme.js";
import { Turns } from "./turns.js";

const SPOKEN_MS = 2_000;

const settings = loaded();
const store = new Store();
const tape = new Tape();
const charts = SPECS.map((spec) => new Chart(spec, (start) => point(start)));
const player = new Player((play) => live.send(play));
const picker = byId("asset", HTMLSelectElement);
const hold = byId("hold", HTMLButtonElement);
const help = byId("help", HTMLDialogElement);
const spoken = byId("spoken", HTMLElement);
let clock = new Clock(settings.zone === "utc");
wear(settings.theme);
let ink = colours();
let isHeld = false;
/** @type {number | null} */
let pointed = null;
/** @type {number | null} */
let lostSince = null;
let spokenAt = -SPOKEN_MS;
/** @type {string | null} */
let toSpeak = null;
/** Alerts of this page alone count downwards, so that none has the number of one of the board. */
let ownAlerts = 0;

// ---- drawing

const turns = new Turns(() => isHeld || document.hidden);

/** What all charts draw from; made anew when something has changed. @type {import("./chart.js").Scene | null} */
let scene = null;

/**
 * @param {(shown: Msg.Snapshot) => void} draw
 * @returns {import("./turns.js").View}
 */
const view = (draw) => () => {
	if (store.shown) draw(store.shown);
};

const pictures = charts.map((chart) =>
	view((shown) => {
		scene ??= sceneOf(shown);
		chart.draw(scene);
	}),
);

/** What shows each part. @type {Record<import("./store.js").Part, import("./turns.js").View[]>} */
const VIEWS = {
	assets: [view(drawAssets)],
	windows: [...pictures, ...charts.map((chart) => () => chart.drawTable())],
	marks: pictures.slice(0, 1),
	tape: [view((shown) => tape.draw(shown, store.skipped, settings, clock))],
	rest: [
		view((shown) => drawTotals(shown, clock)),
		view((shown) => drawShares("leaders", shown.leaders, 12, choose, shown.asset)),
		view((shown) => drawShares("exchanges", shown.exchanges, 8, null, null)),
		view((shown) => drawConnection(shown.connection)),
		view((shown) => player.draw(shown.replay, clock)),
	],
	alerts: [view((shown) => drawAlerts(shown.alerts, clock))],
};
const head = view(drawHead);

/** Let all that has changed be drawn. */
function ask() {
	scene = null;
	turns.ask([...store.changed].flatMap((part) => VIEWS[part]));
	store.changed.clear();
}

/** Let all be drawn as if it had changed. */
function askAll() {
	store.changed = new Set(PARTS);
	ask();
}

/**
 * @param {Msg.Snapshot} shown
 * @returns {import("./chart.js").Scene}
 */
function sceneOf(shown) {
	const newest = shown.windows.at(-1)?.end ?? shown.at;
	const from = settings.range ? newest - settings.range : 0;
	return {
		shown,
		clock,
		colours: ink,
		windows: shown.windows.filter((each) => each.start >= from),
		bubbles: [...store.bubbles.values()],
		cascades: [...store.cascades.values()],
	};
}

/** @param {Msg.Snapshot} shown */
function drawAssets(shown) {
	if (document.activeElement === picker && picker.options.length > 1) return; // it may be open: drawn when it is left
	const names =
		shown.asset !== null && !shown.assets.includes(shown.asset) ? [shown.asset, ...shown.assets] : shown.assets;
	picker.replaceChildren(
		make("option", { value: "" }, "All assets"),
		...names.map((name) => make("option", { value: name }, name.slice(0, 60))),
	);
	picker.value = shown.asset ?? "";
}

/**
 * The last that is drawn of a snapshot: now all of it is there.
 * @param {Msg.Snapshot} shown
 */
function drawHead(shown) {
	setText(byId("title", HTMLElement), shown.title.slice(0, 100));
	document.title = `${shown.asset ?? "All assets"} · ${shown.title}`.slice(0, 150);
	const mode = byId("mode", HTMLElement);
	mode.hidden = shown.mode === "live";
	setText(mode, shown.mode === "demo" ? "demo: made-up data" : shown.mode);
	byId("first", HTMLElement).hidden = true;
	byId("board", HTMLElement).setAttribute("aria-busy", "false");
	byId("board", HTMLElement).dataset.ready = "";
}

/** @param {number | null} start */
function point(start) {
	if (start === pointed) return;
	pointed = start;
	for (const chart of charts) chart.point(start);
}

// ---- what the board says

/** @param {Msg.Snapshot | Msg.Update | Msg.Refused} message */
function hear(message) {
	if (message.kind === "refused") return complain(message.text);
	if (message.kind === "snapshot") {
		lostSince = null;
		store.replace(message);
		complain("");
	} else {
		const before = store.shown?.alerts.at(-1)?.id;
		store.update(message);
		if (message.alerts.length && message.alerts.at(-1)?.id !== before) speak(message.alerts.at(-1)?.text ?? "");
		watch();
	}
	ask();
	if (message.kind === "snapshot") turns.ask([head]);
}

/** Tell of prints that are as large as the viewer wants to know. */
function watch() {
	const fresh = store.fresh.splice(0);
	const { tell } = settings;
	if (tell === null) return;
	for (const each of fresh) {
		if (each.volume < tell) continue;
		const what = each.what === "liquidation" ? `${each.side} liquidation` : each.side;
		const text = `${each.exchange} ${each.symbol}: ${what} of ${compact(each.volume)} USD`;
		store.tell([{ id: --ownAlerts, time: each.time, rule: "own", text }]);
		speak(text);
	}
}

/**
 * To screen readers, but no flood: what comes too soon is told later, the newest of it.
 * @param {string} text
 */
function speak(text) {
	const wait = spokenAt + SPOKEN_MS - performance.now();
	if (wait > 0) {
		if (toSpeak === null) setTimeout(() => speak(toSpeak ?? ""), wait);
		toSpeak = text;
		return;
	}
	toSpeak = null;
	spokenAt = performance.now();
	setText(spoken, text);
}

/** @param {string} text */
function complain(text) {
	const lost = byId("lost", HTMLElement);
	lost.hidden = !text;
	setText(lost, text.slice(0, 300));
	document.body.classList.toggle("stale", lostSince !== null);
}

/**
 * @param {string} reason
 * @param {number | null} retryMs
 */
function isLost(reason, retryMs) {
	lostSince ??= Date.now();
	const since = `Not connected to the board since ${clock.time(lostSince)}: what is shown is of that time.`;
	const again = retryMs === null ? "" : ` Trying again in ${Math.max(1, Math.round(retryMs / 1000))} s.`;
	complain(`${since}${reason ? ` ${reason}.` : ""}${again}`);
}

const live = new Live({ said: hear, lost: isLost, asset: () => settings.asset });

// ---- what the viewer says

/** @param {string | null} asset */
function choose(asset) {
	settings.asset = asset || null;
	keep(settings);
	setHeld(false);
	live.send({ kind: "pick", asset: settings.asset });
}

/**
 * @template {keyof import("./settings.js").Settings} K
 * @param {K} name
 * @param {import("./settings.js").Settings[K]} value
 */
function set(name, value) {
	settings[name] = value;
	keep(settings);
	askAll();
}

/** @param {boolean} held */
function setHeld(held) {
	isHeld = held;
	hold.setAttribute("aria-pressed", String(held));
	setText(hold, held ? "Go on" : "Hold the picture");
	document.body.classList.toggle("held", held);
	turns.ask();
}

picker.addEventListener("change", () => choose(picker.value));
picker.addEventListener("blur", () => turns.ask(VIEWS.assets));
hold.addEventListener("click", () => setHeld(!isHeld));

/** A choice that is a setting: what it shows, and what a change does. */
const range = byId("range", HTMLSelectElement);
range.value = String(settings.range);
range.addEventListener("change", () => set("range", Number(range.value)));

const zone = byId("zone", HTMLSelectElement);
for (const option of zone.options) if (option.value === "local") option.text = `local (${new Clock(false).zone})`;
zone.value = settings.zone;
zone.addEventListener("change", () => {
	clock = new Clock(zone.value === "utc");
	set("zone", zone.value);
});

const theme = byId("theme", HTMLSelectElement);
theme.value = settings.theme;
function recolour() {
	wear(settings.theme);
	ink = colours();
	drawLegend();
	askAll();
}
theme.addEventListener("change", () => {
	settings.theme = theme.value;
	keep(settings);
	recolour();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

for (const name of /** @type {const} */ (["side", "exchange"])) {
	const select = byId(`${name}-filter`, HTMLSelectElement);
	if (name === "exchange" && settings.exchange)
		select.append(make("option", { value: settings.exchange }, settings.exchange));
	select.value = settings[name];
	select.addEventListener("change", () => set(name, select.value));
}
const symbol = byId("symbol-filter", HTMLInputElement);
symbol.value = settings.symbol;
symbol.addEventListener("input", () => set("symbol", symbol.value.trim()));

/**
 * A field for a volume; what is no number is marked, and nothing changes.
 * @param {string} id
 * @param {number | null} now
 * @param {(value: number | null) => void} apply
 */
function volumeField(id, now, apply) {
	const input = byId(id, HTMLInputElement);
	input.value = now ? compact(now) : "";
	if (!input.placeholder) input.placeholder = "any";
	input.addEventListener("input", () => {
		const value = parse(input.value, -1);
		input.setAttribute("aria-invalid", String(value === null));
		input.title = value === null ? "a number, such as 250000, 250k or 1.2M" : "";
		if (value !== null) apply(value < 0 ? null : value);
	});
}
volumeField("at-least-liquidation", settings.liquidation, (value) => set("liquidation", value ?? 0));
volumeField("at-least-trade", settings.trade, (value) => set("trade", value ?? 0));
volumeField("tell", settings.tell, (value) => set("tell", value));

const keys = byId("keys", HTMLInputElement);
keys.checked = settings.keys;
keys.addEventListener("change", () => set("keys", keys.checked));
byId("help-open", HTMLButtonElement).addEventListener("click", () => help.showModal());

document.addEventListener("keydown", (event) => {
	const at = event.target instanceof Element ? event.target : document.body;
	if (!settings.keys || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
	if (at.closest("input:not([type=range], [type=checkbox]), textarea")) return;
	if (event.key === "/") picker.focus();
	else if (event.key === "?") help.showModal();
	else if (event.key === " " && !at.closest("button, select, input, summary, a")) {
		if (player.isThere) player.toggle();
		else setHeld(!isHeld);
	} else return;
	event.preventDefault();
});
document.addEventListener("visibilitychange", () => turns.ask());

// ---- what the quality words look like and mean

function drawLegend() {
	byId("quality-legend", HTMLElement).replaceChildren(
		"Under each chart: ",
		...QUALITIES.map((quality) => {
			const canvas = make("canvas", { "aria-hidden": "true" });
			const ratio = devicePixelRatio;
			canvas.width = 22 * ratio;
			canvas.height = 12 * ratio;
			const ctx = canvas.getContext("2d");
			ctx?.scale(ratio, ratio);
			if (ctx) drawQuality(ctx, quality, 0, 22, 12, ink);
			return make("span", { title: MEANING[quality] }, canvas, ` ${quality}`);
		}),
	);
}
byId("quality-words", HTMLElement).append(
	...QUALITIES.flatMap((each) => [make("dt", {}, each), make("dd", {}, MEANING[each])]),
);
drawLegend();
