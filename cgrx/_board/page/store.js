// All that the page knows, within bounds.

const HOUR_MS = 3_600_000;
const WINDOWS = 1_440;
const PRINTS = 1_000;
const ALERTS = 100;
const CASCADES = 100;
const BUBBLES = 600;

/** What changes by itself; `marks` are bubbles and cascades. In the order in which all of it is drawn. */
export const PARTS = /** @type {const} */ (["assets", "windows", "marks", "tape", "rest", "alerts"]);

/** @typedef {typeof PARTS[number]} Part */

export class Store {
	constructor() {
		/** @type {Msg.Snapshot | null} */
		this.shown = null;
		/** @type {Map<number, Msg.Cascade>} */
		this.cascades = new Map();
		/** Liquidations by number: those of a snapshot, and what the tape brought since. @type {Map<number, Msg.Print>} */
		this.bubbles = new Map();
		this.skipped = 0;
		/** Since it was last asked for. @type {Set<Part>} */
		this.changed = new Set();
		/** Prints that came since they were last looked through. @type {Msg.Print[]} */
		this.fresh = [];
	}

	/** @param {Msg.Snapshot} snapshot */
	replace(snapshot) {
		this.shown = snapshot;
		this.cascades = new Map(snapshot.cascades.map((each) => [each.id, each]));
		this.bubbles = new Map();
		this._bubble([...snapshot.bubbles, ...snapshot.tape]);
		this.skipped = 0;
		this.fresh = [];
		this.changed = new Set(PARTS);
	}

	/** @param {Msg.Update} update */
	update(update) {
		const shown = this.shown;
		if (!shown) return;
		this.changed.add("rest");
		if (shown.assets.join("\n") !== update.assets.join("\n")) this.changed.add("assets");
		const { at, totals, exchanges, leaders, assets, connection, replay } = update;
		Object.assign(shown, { at, totals, exchanges, leaders, assets, connection, replay });
		const last = shown.tape.at(-1)?.id ?? 0;
		const prints = update.tape.filter((each) => each.id > last);
		if (prints.length || update.skipped) {
			this.changed.add("tape");
			this.changed.add("marks");
			this.skipped += update.skipped;
			shown.tape = [...shown.tape, ...prints].slice(-PRINTS);
			this._bubble(prints);
			this.fresh = [...this.fresh, ...prints].slice(-PRINTS);
		}
		if (update.windows.length) {
			this.changed.add("windows");
			this._merge(shown, update.windows);
		}
		if (update.cascades.length) {
			this.changed.add("marks");
			for (const each of update.cascades) {
				if (each.withdrawn) this.cascades.delete(each.id);
				else this.cascades.set(each.id, each);
			}
			for (const id of [...this.cascades.keys()].slice(0, -CASCADES)) this.cascades.delete(id);
		}
		if (update.alerts.length) this.tell(update.alerts);
	}

	/**
	 * Keep the largest, and half as many again before the smallest are looked for.
	 * @param {Msg.Print[]} prints
	 */
	_bubble(prints) {
		for (const each of prints) if (each.what === "liquidation") this.bubbles.set(each.id, each);
		if (this.bubbles.size <= 1.5 * BUBBLES) return;
		const largest = [...this.bubbles.values()].sort((a, b) => b.volume - a.volume).slice(0, BUBBLES);
		this.bubbles = new Map(largest.map((each) => [each.id, each]));
	}

	/** @param {Msg.Alert[]} alerts */
	tell(alerts) {
		const shown = this.shown;
		if (!shown) return;
		this.changed.add("alerts");
		shown.alerts = [...shown.alerts, ...alerts].slice(-ALERTS);
	}

	/**
	 * @param {Msg.Snapshot} shown
	 * @param {Msg.Window[]} windows
	 */
	_merge(shown, windows) {
		const all = shown.windows;
		for (const each of windows) {
			const newest = all.at(-1);
			if (!newest || each.start > newest.start) all.push(each);
			else {
				const index = all.length - 1 - Math.round((newest.start - each.start) / shown.window_ms);
				if (all[index]?.start === each.start) all[index] = each;
			}
		}
		const most = Math.min(WINDOWS, Math.max(1, Math.ceil(HOUR_MS / shown.window_ms)));
		if (all.length > most) all.splice(0, all.length - most);
	}
}
