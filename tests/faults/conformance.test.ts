/**
 * What WebSocket libraries are judged by: framing, control frames, reserved bits and opcodes,
 * fragmentation, UTF-8, closing and limits, each case with the one outcome that is right.
 */
import { closeCases } from "./conformance/close.ts";
import { control } from "./conformance/control.ts";
import { fragmentation } from "./conformance/fragments.ts";
import { framing } from "./conformance/framing.ts";
import { limits } from "./conformance/limits.ts";
import { conformance } from "./conformance/run.ts";
import { utf8 } from "./conformance/utf8.ts";

conformance({ name: "framing", attributes: "", cases: framing });
conformance({ name: "control", attributes: "", cases: control });
conformance({ name: "fragments", attributes: "", cases: fragmentation });
conformance({ name: "UTF-8", attributes: "", cases: utf8 });
conformance({ name: "close", attributes: "", cases: closeCases });
conformance({ name: "limits", attributes: 'max_message_size = "1KB"', cases: limits });
