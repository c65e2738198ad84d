import type { Case } from "../case.ts";
import { basicPython } from "./basic-python.ts";
import { firstCall } from "./first-call.ts";
import { logLatency } from "./log-latency.ts";
import { manyClients } from "./many-clients.ts";
import { mapOfMany } from "./map.ts";
import { oneFileEdited } from "./one-file-edited.ts";
import { planAtScale } from "./plan-at-scale.ts";
import { tenLayersPushed } from "./ten-layers.ts";
import { unchangedByCli, unchangedBySdk } from "./unchanged.ts";
import { warmCall } from "./warm-call.ts";

/** In the order of the table. */
export const cases: readonly Case[] = [
  unchangedBySdk,
  unchangedByCli,
  tenLayersPushed,
  basicPython,
  oneFileEdited,
  logLatency,
  planAtScale,
  manyClients,
  warmCall,
  firstCall,
  mapOfMany,
];
