// The page loads uPlot before its modules, as a global name.
import type uPlot from "uplot";
export type { uPlot };
