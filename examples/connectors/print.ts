/** `type = "print"`: prints what flows send to it. The smallest destination. */
import { attribute, defineConnector, text } from "@weir/runtime";

const print = defineConnector({
  fields: {
    prefix: attribute(text(), { about: "The beginning of every line.", default: "" }),
  },
  destination: { fields: {} },
  create: ({ prefix }) => ({
    write: ({ payload }) => console.log(prefix + JSON.stringify(payload)),
  }),
});

export default { print };
