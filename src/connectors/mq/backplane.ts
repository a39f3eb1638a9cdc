/** A message broker as the backplane of a service. */
import type { BackplaneType } from "../../contract/backplane.ts";
import { drivers } from "./drivers/mod.ts";
import type { MqOptions } from "./options.ts";

/** Links the instances by the broker of the connector's driver. */
export const mqBackplane: BackplaneType<MqOptions & { readonly driver: string }> = {
  unable({ driver }: { readonly driver?: string }) {
    // Where the name of the driver could not be read, its own problem says so.
    if (driver === undefined || drivers[driver].backplane !== undefined) return undefined;
    const able = Object.keys(drivers).filter((name) => drivers[name].backplane !== undefined);
    return `driver = "${driver}" links nothing outside of this process; ${able.join(", ")} do`;
  },
  remembers: (options) => drivers[options.driver].backplane?.remembers ?? false,
  keeps: (options) => drivers[options.driver].backplane?.keeps(options) ?? false,
  async create(options, context) {
    const { title, backplane } = drivers[options.driver];
    if (backplane === undefined) throw new TypeError(`${title} is no backplane`);
    const { createBackplane } = await backplane.load();
    return createBackplane(options, context);
  },
};
