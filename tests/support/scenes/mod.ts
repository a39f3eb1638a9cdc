/**
 * The pages of the examples with content as somebody would see it: for their pictures in
 * `docs/screenshots/`, and for what tests check on all pages.
 */
import { auth } from "./auth.ts";
import { chat } from "./chat.ts";
import { dashboard } from "./dashboard.ts";
import { iot } from "./iot.ts";
import { notifications } from "./notifications.ts";
import { rabbitmq } from "./rabbitmq.ts";
import type { Scene } from "./scene.ts";

/** All of them. */
export const scenes: readonly Scene[] = [auth, chat, dashboard, iot, notifications, rabbitmq];
