// What the holder of a key tries on the broker that is not its own: one line for each, `refused` or `DONE`.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

func main() {
	address, key, foreign, own, alien := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	client, err := nats.Connect(address, nats.UserInfo(key, os.Getenv("KEY_SECRET")),
		nats.CustomInboxPrefix("_INBOX_"+key), nats.PermissionErrOnSubscribe(true),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	js, _ := client.JetStream(nats.MaxWait(time.Second))
	say := func(what string, err error) {
		if err == nil {
			fmt.Println("DONE", what)
		} else {
			fmt.Println("refused", what, err)
		}
	}
	for _, subject := range []string{"ioc.>", "_INBOX.>", "_INBOX_cli.>", "$SYS.>", ">"} {
		subscription, err := client.SubscribeSync(subject)
		if err == nil {
			_, err = subscription.NextMsg(time.Second)
		}
		say("read "+subject, err)
	}
	_, err = js.Publish(foreign, []byte("{}"))
	say("publish "+foreign, err)
	_, err = js.StreamInfo("EVENTS")
	say("stream told", err)
	name, listed := <-js.StreamNames()
	say("streams listed", map[bool]error{true: nil, false: fmt.Errorf("nothing %s", name)}[listed])
	_, err = js.GetMsg("EVENTS", 1)
	say("message read", err)
	_, err = js.GetLastMsg("EVENTS", "ioc.events.>", nats.DirectGet())
	say("message read directly", err)
	_, err = js.AddConsumer("EVENTS", &nats.ConsumerConfig{AckPolicy: nats.AckExplicitPolicy})
	say("consumer made", err)
	say("consumer deleted", js.DeleteConsumer("EVENTS", "aggregator"))
	_, err = js.AddStream(&nats.StreamConfig{Name: "OWN", Subjects: []string{"own.>"}})
	say("stream made", err)
	say("stream purged", js.PurgeStream("EVENTS"))
	say("stream deleted", js.DeleteStream("EVENTS"))
	_, err = js.Publish(own, []byte(alien)) // the broker reads no bodies: who does refuses it
	say("said of another unit", err)
}
