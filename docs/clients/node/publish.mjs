// A clinic tells yesterday's visits over NATS; the key's secret is in KEY_SECRET:
//
//   node publish.mjs nats://127.0.0.1:4222 tram-y-te phuong_chon_thanh
import { CloudEvent } from "cloudevents";
import { connect } from "nats";

const [address, key, unit] = process.argv.slice(2);
const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const event = new CloudEvent({
  id: day,
  source: `/${key}/node-nats`,
  type: "vn.ioc.visits.reported.v1",
  time: `${day}T17:00:00+07:00`,
  unit,
  data: { facility: "tram_node_nats", day, visits: 41, insured: 38 },
});
const client = await connect({
  servers: address,
  user: key,
  pass: process.env.KEY_SECRET,
  inboxPrefix: `_INBOX_${key}`, // the one place where this key hears answers
});
try {
  const subject = `ioc.events.${unit}.health.visits.reported.${key}`;
  const answer = await client.jetstream().publish(subject, JSON.stringify(event));
  console.log("on disk as number", answer.seq); // without this answer: once more, the same counts once
} finally {
  await client.close();
}
