/** A request that is answered by hand, as bench/configs/requests/requests.hcl answers it. */

interface Question {
  readonly type: string;
  readonly id: number;
  readonly data: {
    readonly id: number;
    readonly customer: string;
    readonly quantity: number;
    readonly price: number;
  };
}

/** The ack of a message. */
export function answerTo(text: string): string {
  const { type, id, data } = JSON.parse(text) as Question;
  if (type !== "message") throw new TypeError(`a frame of type ${type} arrived`);
  return JSON.stringify({
    type: "ack",
    id,
    data: { order: data.id, customer: data.customer, total: data.quantity * data.price },
  });
}
