import API
import APIClient
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@Suite struct APIClientTests {
    private func client(_ address: HTTPAddress) -> APIClient {
        APIClient(address: address, token: "msx_secret", timeout: .seconds(5))
    }

    @Test func aReplyIsUnwrappedAndTheRequestIsWhole() async throws {
        let seen = Mutex<HTTPRequest?>(nil)
        try await FakeServer.run({ request in
            seen.withLock { $0 = request }
            return .json(Samples.environment("a b/ü"))
        }) { address in
            let found = try await client(address).environment("a b/ü")
            #expect(found.name == "a b/ü")
        }
        let request = try #require(seen.withLock { $0 })
        #expect(request.method == "GET")
        #expect(request.target == "/v1/environments/a%20b%2F%C3%BC")
        #expect(request.fields["authorization"] == "Bearer msx_secret")
    }

    @Test func aPostCarriesAnIdempotencyKey() async throws {
        let keys = Mutex<[String]>([])
        try await FakeServer.run({ request in
            keys.withLock { $0.append(request.fields["idempotency-key"] ?? "") }
            return .json(
                AcceptedView(environment: Samples.environment(), execution: nil, plan: [], difference: [], warnings: [])
            )
        }) { address in
            let request = CreateRequest(blueprint: "name: x", file: "f", folder: "/")
            _ = try await client(address).createBaseline(request)
            _ = try await client(address).createBaseline(request)
        }
        let seen = keys.withLock { $0 }
        #expect(seen.count == 2)
        #expect(Set(seen).count == 2)
        #expect(!seen.contains(""))
    }

    @Test func allPagesOfAListAreRead() async throws {
        try await FakeServer.run({ request in
            request.query["cursor"] == nil
                ? .json([Samples.environment("a")], next: "more & more")
                : .json([Samples.environment(request.query["cursor"] ?? "")])
        }) { address in
            let names = try await client(address).environments().map(\.name)
            #expect(names == ["a", "more & more"])
        }
    }

    @Test func aListThatNeverEndsIsGivenUp() async throws {
        try await FakeServer.run({ _ in .json([EnvironmentView](), next: "again") }) { address in
            let failure = await #expect(throws: ConnectionFailure.self) { try await client(address).environments() }
            #expect(failure?.kind == .malformed)
        }
    }

    @Test(arguments: [ErrorCode.unauthorized, .notFound, .nameTaken, .invalidRequest, .internalError])
    func aRefusalKeepsItsCode(code: ErrorCode) async throws {
        try await FakeServer.run({ _ in .refusal(code, "no", hint: "do this") }) { address in
            let failure = await #expect(throws: APIFailure.self) { try await client(address).environment("x") }
            #expect(failure?.code == code)
            #expect(failure?.status == code.status)
            #expect(failure?.error.hint == "do this")
            let streamed = await #expect(throws: APIFailure.self) { _ = try await client(address).events(of: "x") }
            #expect(streamed?.code == code)
        }
    }

    @Test(arguments: [(200, "<html>"), (200, ""), (200, #"{"data": 5}"#), (502, "Bad Gateway"), (404, "{}")])
    func aReplyOfAnotherFormIsMalformed(status: Int, body: String) async throws {
        try await FakeServer.run({ _ in .text(body, status: status) }) { address in
            let failure = await #expect(throws: ConnectionFailure.self) { try await client(address).health() }
            #expect(failure?.kind == .malformed)
        }
    }

    @Test func nobodyThereIsNotRunning() async throws {
        try await withClosedPort { address in
            let failure = await #expect(throws: ConnectionFailure.self) { try await client(address).health() }
            #expect(failure?.kind == .notRunning)
        }
        let absent = APIClient(local: StateFolder(path: "/nonexistent/folder"))
        let missing = await #expect(throws: ConnectionFailure.self) { try await absent.health() }
        #expect(missing?.kind == .notRunning)
    }

    @Test func anEmptyNameIsNeverAList() async throws {
        try await FakeServer.run({ _ in .json([Samples.environment()]) }) { address in
            let failure = await #expect(throws: APIFailure.self) { try await client(address).deleteEnvironment("") }
            #expect(failure?.code == .invalidRequest)
        }
    }

    @Test func eventsAreDecodedHoweverTheyAreCut() async throws {
        let sent = [
            Samples.event("running", [Samples.step("service/ü店/start", "running", message: "warten …")]),
            Samples.event("succeeded", []),
        ]
        try await FakeServer.run({ _ in .events(sent) }) { address in
            var seen: [EventView] = []
            for try await event in try await client(address).events(of: "x") { seen.append(event) }
            #expect(seen == sent)
        }
    }

    @Test func logLinesAreDecodedAndAHalfOneIsAnError() async throws {
        let line = #"{"time":"t","service":"a","stream":"stdout","text":"x"}"#
        try await FakeServer.run({ request in
            .text(line + "\n\n" + line + (request.query["tail"] == "1" ? "\n" : ""))
        }) { address in
            var count = 0
            for try await _ in try await client(address).logs(of: "x", tail: 1) { count += 1 }
            #expect(count == 2)
            let failure = await #expect(throws: ConnectionFailure.self) {
                for try await _ in try await client(address).logs(of: "x") {}
            }
            #expect(failure?.kind == .broken)
        }
    }
}
