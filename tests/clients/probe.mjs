// What the holder of a key tries on the broker that is not its own: one line for each, `refused` or `DONE`.
import { connect } from "nats";

const [address, key, foreign, own, alien] = process.argv.slice(2);
const options = { servers: address, user: key, pass: process.env.KEY_SECRET, inboxPrefix: `_INBOX_${key}` };
const client = await connect(options);
const js = client.jetstream({ timeout: 1000 });

/** The broker's own interface, asked as the library asks it. */
async function api(name, value) {
  const answer = await client.request(`$JS.API.${name}`, JSON.stringify(value ?? {}), { timeout: 1000 });
  return answer.json();
}

function first(subject) {
  return new Promise((resolve, reject) => {
    client.subscribe(subject, {
      max: 1,
      timeout: 1000,
      callback: (error, message) => (error ? reject(error) : resolve(message)),
    });
  });
}

const attempts = {
  ...Object.fromEntries(
    ["ioc.>", "_INBOX.>", "_INBOX_cli.>", "$SYS.>", ">"].map((subject) => [`read ${subject}`, () => first(subject)]),
  ),
  [`publish ${foreign}`]: () => js.publish(foreign, "{}", { timeout: 1000 }),
  "manager made": () => client.jetstreamManager({ timeout: 1000 }),
  "stream told": () => api("STREAM.INFO.EVENTS"),
  "streams listed": () => api("STREAM.NAMES"),
  "message read": () => api("STREAM.MSG.GET.EVENTS", { seq: 1 }),
  "message read directly": () => api("DIRECT.GET.EVENTS", { seq: 1 }),
  "consumer made": () => api("CONSUMER.CREATE.EVENTS", { stream_name: "EVENTS", config: { ack_policy: "explicit" } }),
  "consumer deleted": () => api("CONSUMER.DELETE.EVENTS.aggregator"),
  "stream made": () => api("STREAM.CREATE.OWN", { name: "OWN", subjects: ["own.>"] }),
  "stream purged": () => api("STREAM.PURGE.EVENTS"),
  "stream deleted": () => api("STREAM.DELETE.EVENTS"),
  "said of another unit": () => js.publish(own, alien), // the broker reads no bodies: who does refuses it
};
for (const [what, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    console.log("DONE", what);
  } catch (error) {
    console.log("refused", what, error.message);
  }
}
await client.close();
