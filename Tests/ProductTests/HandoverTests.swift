import API
import Foundation
import TestSupport
import Testing

/// A server that would start another gateway than the one that runs has it take over, and no client notices.
@Suite struct HandoverTests {
    /// Half of the clients keep their connections. Prints the answers and whatever went wrong.
    private static let clients = """
        import http.client, os, sys, threading, urllib.parse
        counts, problems = {}, []
        def load(name, url, keeps):
            place = urllib.parse.urlsplit(url)
            client = None
            while not os.path.exists(sys.argv[1]):
                try:
                    client = client or http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
                    client.request("GET", "/", headers={"host": place.netloc, **({} if keeps else {"connection": "close"})})
                    answer = client.getresponse()
                    body = answer.read()
                    if answer.status != 200 or b'"front"' not in body: problems.append((name, answer.status, body[:200]))
                    counts[name] = counts.get(name, 0) + 1
                    if not keeps or answer.will_close: client.close(); client = None
                except Exception as problem:
                    problems.append((name, repr(problem)))
                    client = None
        threads = [threading.Thread(target=load, args=(f"{number}{'k' if keeps else 'n'}", url, keeps))
                   for number, url in enumerate(sys.argv[2:]) for keeps in (True, False)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("enough" if len(counts) == len(threads) and min(counts.values()) > 5 else counts, problems[:5])
        """

    @Test func restartsUnderLoad() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let environment = try await product.environment("base")
            let url = try #require(environment.endpoints.first?.url)
            let hostURL = try #require(environment.endpoints.first?.hostUrl)
            async let load = Tool.run(
                "/usr/bin/python3", ["-c", Self.clients, product.folder + "/stop", url, hostURL])
            for options in [["--no-tls"], [], ["--no-tls"]] {
                let gateway = try product.gatewayPID()
                let server = try product.serverPID()
                kill(server, SIGKILL)
                try await eventually("the end of the server") { kill(server, 0) == 0 ? nil : true }
                let outcome = try await product.run(["serve", "--detach"] + options)
                #expect(outcome.exitCode == 0, "\(outcome)")
                try await eventually("the next gateway") { try product.gatewayPID() != gateway ? true : nil }
                #expect(try await Answer.get(url).answer.path == "front:v1 middle:v1 back:v1")
            }
            try Data().write(to: URL(filePath: product.folder + "/stop"))
            let outcome = try await load
            #expect(String(decoding: outcome.stdout, as: UTF8.self) == "enough []\n", "\(outcome)")
            // The same again replaces nothing.
            let gateway = try product.gatewayPID()
            kill(try product.serverPID(), SIGKILL)
            #expect(try await product.run(["serve", "--detach", "--no-tls"]).exitCode == 0)
            try await product.mustRun("env", "list")
            #expect(try product.gatewayPID() == gateway)
        }
    }
}
