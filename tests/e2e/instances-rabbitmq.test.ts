import { backplaneKinds } from "../support/instances.ts";
import { testInstances } from "./instances/mod.ts";

for (const kind of backplaneKinds) if (kind.driver === "rabbitmq") testInstances(kind);
