// The messages of the board. Written by `python -m tests.page.declarations`; do not edit.
declare namespace Msg {
  type Quality = "running" | "complete" | "incomplete" | "gap" | "unknown";
  interface Print {
    id: number;
    what: "liquidation" | "trade";
    time: number;
    exchange: string;
    symbol: string;
    asset: string;
    side: "long" | "short" | "buy" | "sell";
    price: number;
    volume: number;
  }
  interface Watched {
    quality: "running" | "complete" | "incomplete" | "gap" | "unknown";
    gap_ms: number | null;
    dropped: number;
    late: number;
    text: string;
  }
  interface Window {
    start: number;
    end: number;
    long: number;
    short: number;
    liquidations: number;
    buy: number;
    sell: number;
    trades: number;
    open: number | null;
    high: number | null;
    low: number | null;
    close: number | null;
    liquidations_watched: Watched;
    trades_watched: Watched | null;
  }
  interface Totals {
    over: "1m" | "1h" | "session";
    since: number;
    long: number;
    short: number;
    buy: number;
    sell: number;
    liquidations: number;
    trades: number;
    incomplete_windows: number;
  }
  interface Share {
    name: string;
    long: number;
    short: number;
    events: number;
  }
  interface Cascade {
    id: number;
    asset: string;
    side: "long" | "short";
    start: number;
    end: number;
    events: number;
    volume: number;
    running: boolean;
    withdrawn: boolean;
  }
  interface Alert {
    id: number;
    time: number;
    rule: string;
    text: string;
  }
  interface Connection {
    state: "connecting" | "connected" | "reconnecting" | "closed" | "failed";
    text: string;
    lag_ms: number | null;
    round_trip_ms: number | null;
    events: number;
    rate: number;
    reconnects: number;
    dropped: number;
    malformed: number;
    late: number;
    gap_ms: number;
  }
  interface Replayed {
    start: number;
    end: number;
    now: number;
    speed: number | null;
    paused: boolean;
    over: boolean;
  }
  interface Snapshot {
    kind: "snapshot";
    version: number;
    title: string;
    mode: "live" | "replay" | "demo";
    at: number;
    asset: string | null;
    assets: string[];
    window_ms: number;
    tape: Print[];
    bubbles: Print[];
    windows: Window[];
    totals: Totals[];
    exchanges: Share[];
    leaders: Share[];
    cascades: Cascade[];
    alerts: Alert[];
    connection: Connection;
    replay: Replayed | null;
  }
  interface Update {
    kind: "update";
    at: number;
    tape: Print[];
    skipped: number;
    windows: Window[];
    totals: Totals[];
    exchanges: Share[];
    leaders: Share[];
    assets: string[];
    cascades: Cascade[];
    alerts: Alert[];
    connection: Connection;
    replay: Replayed | null;
  }
  interface Hello {
    kind: "hello";
    version: number;
    token: string | null;
    asset: string | null;
  }
  interface Pick {
    kind: "pick";
    asset: string | null;
  }
  interface Play {
    kind: "play";
    paused: boolean | null;
    speed: number | null;
    time: number | null;
  }
  interface Seen {
    kind: "seen";
  }
  interface Refused {
    kind: "refused";
    text: string;
  }
}
