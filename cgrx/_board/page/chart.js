// One chart: its name, what is under the pointer in words, the picture, the quality strip, and the same as a table.

import { byId, make, setText } from "./dom.js";
import { drawQuality } from "./quality.js";

const AXIS = 68;
const TABLE_ROWS = 60;
const MIN_WINDOWS = 30;
const MIN_MS = 180_000;

/**
 * What all charts draw from.
 * @typedef {object} Scene
 * @property {Msg.Window[]} windows  in the range that is looked at, oldest first
 * @property {Msg.Snapshot} shown
 * @property {Msg.Print[]} bubbles  liquidations
 * @property {Msg.Cascade[]} cascades
 * @property {import("./format.js").Clock} clock
 * @property {import("./theme.js").Colours} colours
 */

/**
 * What is special to one chart.
 * @typedef {object} Spec
 * @property {string} id
 * @property {(scene: Scene) => string} name
 * @property {(scene: Scene) => string} kind  another one needs another picture
 * @property {(scene: Scene) => string} note  empty, or what to know about it
 * @property {(scene: Scene) => boolean} has  whether there is anything to show
 * @property {(window: Msg.Window) => import("./quality.js").Said} quality
 * @property {(window: Msg.Window, scene: Scene, index: number) => string} read
 * @property {string[]} columns
 * @property {(window: Msg.Window, scene: Scene, index: number) => string[]} row
 * @property {(scene: Scene) => uPlot.AlignedData} data
 * @property {(scene: () => Scene) => Partial<uPlot.Options>} options
 */

/**
 * The time that the charts span: from the oldest window on, and so long at least that the first few do not fill it.
 * @param {Scene} scene
 * @returns {[number, number]}
 */
export function span(scene) {
	const { windows, shown } = scene;
	const start = windows[0]?.start ?? shown.at;
	return [start, Math.max(windows.at(-1)?.end ?? start, start + Math.min(MIN_WINDOWS * shown.window_ms, MIN_MS))];
}

export class Chart {
	/**
	 * @param {Spec} spec
	 * @param {(start: number | null) => void} point  tells the start of the window that is pointed at
	 */
	constructor(spec, point) {
		this._spec = spec;
		this._point = point;
		/** @type {uPlot | null} */
		this._plot = null;
		/** @type {Scene | null} */
		this._scene = null;
		/** @type {number | null} */
		this._pointed = null;
		this._made = "";
		this._size = { width: 0, height: 0 };
		const id = `chart-${spec.id}`;
		this._name = make("h3", { id: `${id}-name` });
		this._note = make("span", { class: "note" });
		this._readout = make("p", { class: "readout" });
		this._host = make("div", { class: `plot plot-${spec.id}`, "aria-hidden": "true" });
		this._canvas = make("canvas", { "aria-hidden": "true" });
		this._strip = make(
			"div",
			{
				class: "strip",
				role: "slider",
				tabindex: "0",
				"aria-valuemin": "0",
				"aria-orientation": "horizontal",
			},
			this._canvas,
		);
		this._words = make("p", { class: "words" });
		this._table = make("table");
		this._details = make(
			"details",
			{},
			make("summary", {}, "As a table"),
			make(
				"div",
				{
					class: "scroll",
					tabindex: "0",
					role: "group",
					"aria-label": "The newest windows as a table",
				},
				this._table,
			),
		);
		this._root = make(
			"section",
			{ class: "panel chart", id, "aria-labelledby": `${id}-name` },
			make("div", { class: "chart-head" }, this._name, this._note),
			this._readout,
			this._host,
			this._strip,
			make("div", { class: "chart-foot" }, this._words, this._details),
		);
		byId("chart-list", HTMLElement).append(this._root);
		this._details.addEventListener("toggle", () => this.drawTable());
		this._strip.addEventListener("keydown", (event) => this._key(event));
		this._strip.addEventListener("focus", () => this._go(this._index()));
		this._strip.addEventListener("blur", () => this._point(null));
		this._strip.addEventListener("pointermove", (event) => this._point(this._startAt(event.offsetX)));
		this._strip.addEventListener("pointerleave", () => this._point(null));
		new ResizeObserver(() => this._resize()).observe(this._host);
	}

	/** @param {Scene} scene */
	draw(scene) {
		this._scene = scene;
		const { _spec: spec } = this;
		const has = spec.has(scene);
		setText(this._name, spec.name(scene));
		setText(this._note, spec.note(scene));
		for (const part of [this._readout, this._host, this._strip, this._words, this._details]) part.hidden = !has;
		if (!has) return;
		const made = `${spec.kind(scene)} ${scene.clock.utc} ${scene.colours.ink} ${scene.colours.panel}`;
		if (made !== this._made || !this._plot) this._make(scene, made);
		else {
			this._plot.batch(() => {
				this._plot?.setData(spec.data(scene), false);
				const [min, max] = span(scene);
				this._plot?.setScale("x", { min, max });
			});
		}
		this.point(this._pointed);
	}

	/**
	 * Say what is known of a window; null: of the newest.
	 * @param {number | null} start
	 */
	point(start) {
		this._pointed = start;
		const scene = this._scene;
		if (!scene || this._host.hidden) return;
		const index = this._index();
		const window = scene.windows[index];
		if (!window) return;
		const { quality, text } = this._spec.quality(window);
		const times = `${scene.clock.time(window.start)} – ${scene.clock.time(window.end)}`;
		const read = this._spec.read(window, scene, index);
		setText(this._readout, `${times}${start === null ? " (newest)" : ""}  ${read}`);
		setText(this._words, `${quality}${text ? `: ${text}` : ""}`);
		this._words.dataset.quality = quality;
		this._strip.setAttribute("aria-valuemax", String(scene.windows.length - 1));
		this._strip.setAttribute("aria-valuenow", String(index));
		this._strip.setAttribute("aria-valuetext", `${times}: ${quality}${text ? `, ${text}` : ""}; ${read}`);
		this._strip.setAttribute("aria-label", `${this._spec.name(scene)}: quality by window`);
		if (this._plot) {
			const left = start === null ? -10 : this._plot.valToPos((window.start + window.end) / 2, "x");
			this._plot.setCursor({ left, top: start === null ? -10 : 0 }, false);
		}
	}

	/** The index of the window that is pointed at; the newest one where none is. */
	_index() {
		const windows = this._scene?.windows ?? [];
		const first = windows[0];
		if (this._pointed === null || !first || !this._scene) return windows.length - 1;
		const index = Math.round((this._pointed - first.start) / this._scene.shown.window_ms);
		return Math.max(0, Math.min(windows.length - 1, index));
	}

	/** @param {KeyboardEvent} event */
	_key(event) {
		const windows = this._scene?.windows ?? [];
		const page = Math.max(10, Math.round(windows.length / 10));
		const to = {
			ArrowLeft: this._index() - 1,
			ArrowDown: this._index() - 1,
			ArrowRight: this._index() + 1,
			ArrowUp: this._index() + 1,
			PageDown: this._index() - page,
			PageUp: this._index() + page,
			Home: 0,
			End: windows.length - 1,
		}[event.key];
		if (to === undefined) return;
		event.preventDefault();
		this._go(Math.max(0, Math.min(windows.length - 1, to)));
	}

	/** @param {number} index */
	_go(index) {
		const window = this._scene?.windows[index];
		if (window) this._point(window.start);
	}

	/**
	 * @param {number} left  CSS pixels from the left of the picture's area
	 * @returns {number | null}
	 */
	_startAt(left) {
		const scene = this._scene;
		const first = scene?.windows[0];
		if (!scene || !first || !this._plot || left < 0) return null;
		const time = this._plot.posToVal(left, "x");
		const index = Math.floor((time - first.start) / scene.shown.window_ms);
		return scene.windows[index]?.start ?? null;
	}

	/**
	 * @param {Scene} scene
	 * @param {string} made
	 */
	_make(scene, made) {
		this._plot?.destroy();
		this._made = made;
		const current = () => this._scene ?? scene;
		const special = this._spec.options(current);
		const grid = { stroke: scene.colours.line, width: 1 };
		const axis = { stroke: scene.colours.muted, grid, ticks: { ...grid, size: 4 }, font: "11px system-ui, sans-serif" };
		const options = /** @type {uPlot.Options} */ ({
			width: this._host.clientWidth || 300,
			height: this._host.clientHeight || 150,
			ms: 1,
			padding: [8, 8, 0, 0],
			legend: { show: false },
			tzDate: (/** @type {number} */ at) => (scene.clock.utc ? uPlot.tzDate(new Date(at), "Etc/UTC") : new Date(at)),
			cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
			...special,
			scales: { x: { time: true, auto: false, range: () => span(current()) }, ...special.scales },
			axes: [
				{
					...axis,
					size: 26,
					space: 70,
					values: [
						[3_600_000, "{HH}:{mm}", null, null, null, null, null, null, 1],
						[60_000, "{HH}:{mm}", null, null, null, null, null, null, 1],
						[1, "{HH}:{mm}:{ss}", null, null, null, null, null, null, 1],
					],
				},
				...(special.axes ?? [{}]).map((each) => ({ ...axis, size: AXIS, space: 28, ...each })),
			],
			hooks: {
				...special.hooks,
				draw: [...(special.hooks?.draw ?? []), (/** @type {uPlot} */ plot) => this._drawStrip(plot)],
				setCursor: [(/** @type {uPlot} */ plot) => this._point(this._startAt(plot.cursor.left ?? -1))],
			},
		});
		this._plot = new uPlot(options, this._spec.data(scene), this._host);
		this._size = { width: options.width, height: options.height };
	}

	_resize() {
		const { clientWidth: width, clientHeight: height } = this._host;
		if (!this._plot || !width || !height || (width === this._size.width && height === this._size.height)) return;
		this._size = { width, height };
		this._plot.setSize(this._size);
	}

	/**
	 * Under the area of the picture, whenever that was drawn. To ask the document how wide it is would lay it out.
	 * @param {uPlot} plot
	 */
	_drawStrip(plot) {
		const scene = this._scene;
		const ctx = this._canvas.getContext("2d");
		if (!scene || !ctx) return;
		const ratio = uPlot.pxRatio;
		const width = plot.bbox.width / ratio;
		const height = 12;
		if (this._canvas.width !== Math.round(width * ratio)) {
			this._canvas.width = Math.round(width * ratio);
			this._canvas.height = height * ratio;
			this._strip.style.marginLeft = `${AXIS}px`;
			this._strip.style.width = `${width}px`;
		}
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.clearRect(0, 0, width, height);
		const [min, max] = span(scene);
		const scale = width / (max - min);
		const { windows } = scene;
		for (let from = 0; from < windows.length; ) {
			const first = /** @type {Msg.Window} */ (windows[from]);
			const { quality } = this._spec.quality(first);
			let until = from + 1;
			for (let next = windows[until]; next && this._spec.quality(next).quality === quality; next = windows[until])
				until++;
			const end = /** @type {Msg.Window} */ (windows[until - 1]).end;
			drawQuality(ctx, quality, (first.start - min) * scale, (end - first.start) * scale, height, scene.colours);
			from = until;
		}
	}

	/** The newest windows, the newest first; only where somebody looks. What stays is not written again. */
	drawTable() {
		const scene = this._scene;
		if (!scene || !this._details.open || this._details.hidden) return;
		const { windows } = scene;
		const count = Math.min(windows.length, TABLE_ROWS);
		const body = this._table.tBodies[0] ?? this._makeTable();
		while (body.rows.length > count) body.lastElementChild?.remove();
		while (body.rows.length < count) {
			const cells = [...this._spec.columns, "Quality"].map(() => make("td"));
			body.append(make("tr", {}, make("th", { scope: "row" }), ...cells));
		}
		if (this._table.caption) setText(this._table.caption, `The newest ${count} windows, exact values`);
		for (const [line, row] of [...body.rows].entries()) {
			const index = windows.length - 1 - line;
			const window = /** @type {Msg.Window} */ (windows[index]);
			const { quality, text } = this._spec.quality(window);
			row.dataset.start = String(window.start);
			const texts = [scene.clock.time(window.start), ...this._spec.row(window, scene, index)];
			texts.push(text ? `${quality}: ${text}` : quality);
			for (const [column, cell] of [...row.cells].entries()) setText(cell, texts[column] ?? "");
		}
	}

	_makeTable() {
		const head = ["From", ...this._spec.columns, "Quality"].map((name) => make("th", { scope: "col" }, name));
		const body = make("tbody");
		this._table.append(make("caption"), make("thead", {}, make("tr", {}, ...head)), body);
		return body;
	}
}

/**
 * Shade where nothing was received, or nobody watched, over the whole height of a picture.
 * @param {uPlot} plot
 * @param {Scene} scene
 * @param {Spec["quality"]} quality
 */
export function shadeGaps(plot, scene, quality) {
	const { ctx, bbox } = plot;
	ctx.save();
	ctx.globalAlpha = 0.18;
	ctx.fillStyle = scene.colours.unknown;
	for (const window of scene.windows) {
		const said = quality(window).quality;
		if (said !== "gap" && said !== "unknown") continue;
		const left = Math.max(bbox.left, plot.valToPos(window.start, "x", true));
		const right = Math.min(bbox.left + bbox.width, plot.valToPos(window.end, "x", true));
		if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
	}
	ctx.restore();
}
