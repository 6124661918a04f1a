// A clinic tells yesterday's visits over HTTP, with nothing but the JDK (17); the key's secret is in KEY_SECRET:
//
//   java Visits.java http://127.0.0.1:8010 tram-y-te phuong_chon_thanh
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.LocalDate;

public class Visits {
    public static void main(String[] arguments) throws Exception {
        String address = arguments[0], key = arguments[1], unit = arguments[2];
        String event = """
            {"specversion": "1.0", "id": "%2$s", "source": "/%1$s/java", "type": "vn.ioc.visits.reported.v1",
             "time": "%2$sT17:00:00+07:00", "unit": "%3$s",
             "data": {"facility": "tram_java", "day": "%2$s", "visits": 41, "insured": 38}}
            """.formatted(key, LocalDate.now().minusDays(1), unit);
        var request = HttpRequest.newBuilder(URI.create(address + "/events"))
            .header("Authorization", "Bearer " + System.getenv("KEY_SECRET"))
            .header("Content-Type", "application/cloudevents+json")
            .POST(BodyPublishers.ofString(event))
            .build();
        var answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
        // 202: it is on disk. 429 and 503: once more after Retry-After seconds, the same counts once.
        System.exit(answer.statusCode() == 202 ? 0 : 1);
    }
}
