/** The time of a page runs faster, so that a client in it finds dead connections earlier. */

/** A script that comes before those of the page. */
export function fastPage(speed: number): string {
  return `<script>
  {
    const { setTimeout: after, Date: { now } } = window;
    const began = now();
    window.setTimeout = (task, time) => after(task, time / ${speed});
    Date.now = () => began + (now() - began) * ${speed};
  }
</script>
`;
}
