import API
import APIClient
import Foundation
import HTTPTransport
import Synchronization
import TestSupport
import Testing

@testable import Commands

@Suite struct CommandTests {
    private static let blueprint = """
        name: shop
        services:
          - name: web
            command: ["./web"]
            ports: [{name: http, protocol: http}]
            expose: true
        """

    private static func accepted(_ environment: EnvironmentView) -> AcceptedView {
        AcceptedView(
            environment: environment, execution: Samples.event("pending", []).execution, plan: [], difference: [],
            warnings: [])
    }

    /// A Blueprint in a folder of its own.
    private func withBlueprint<T>(_ text: String, _ body: (String) async throws -> T) async throws -> T {
        try await withTemporaryFolder { folder in
            let file = folder + "/shop.yaml"
            try Data(text.utf8).write(to: URL(filePath: file))
            return try await body(file)
        }
    }

    @Test func aloneItGivesAnOverview() async {
        let run = await CommandRun.run([])
        #expect(run.status == 0)
        #expect(run.output.contains("microstax overlay create"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test func aMistypedCommandIsGuessed() async {
        let run = await CommandRun.run(["env", "lst"])
        #expect(run.status == 64)
        #expect(run.errors == "error: `microstax env` has no command `lst`\nhint: did you mean `microstax env list`?\n")
        let far = await CommandRun.run(["frobnicate"])
        #expect(far.status == 64)
        #expect(
            far.errors.contains("`microstax` knows: env, baseline, overlay, layer, blueprint, execution"))
    }

    @Test(arguments: [
        ["env", "get"], ["env", "list", "-o", "xml"], ["env", "list", "--timeout", "soon"],
        ["env", "list", "--context", "team"],
        ["overlay", "create", "--baseline", "shop"], ["env", "explain", "a", "b", "--service", "c"],
        ["env", "logs", "a", "--tail", "-1"], ["env", "logs", "a", "--since", "yesterday"],
        ["env", "list", "--label", "x"],
        ["completion", "tcsh"],
    ])
    func aCommandLineThatIsNotUnderstoodEndsWith64(arguments: [String]) async {
        let run = await CommandRun.run(arguments, environment: ["MICROSTAX_API_URL": "http://127.0.0.1:1"])
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.errors.hasPrefix("error: "))
        #expect(run.output.isEmpty)
    }

    @Test func theListInEveryFormat() async throws {
        try await FakeServer.run({ _ in .json([Samples.environment()]) }) { address in
            let table = await CommandRun.run("env", "list", at: address)
            #expect(table.status == 0)
            #expect(table.output.hasPrefix("NAME  MODE      STATE    PARENT"))
            let json = await CommandRun.run("env", "list", "-o", "json", at: address)
            let decoded = try JSONDecoder().decode([EnvironmentView].self, from: Data(json.output.utf8))
            #expect(decoded == [Samples.environment()])
            let yaml = await CommandRun.run("env", "list", "-o", "yaml", at: address)
            #expect(yaml.output.contains("name: shop\n"))
            let quiet = await CommandRun.run("env", "list", "--quiet", at: address)
            #expect(quiet.output == "env-abcdefghij\n")
        }
    }

    @Test func aServerThatIsAwayEndsWith69() async throws {
        let run = try await withClosedPort { await CommandRun.run("env", "list", at: $0) }
        #expect(run.status == 69)
        #expect(run.errors.hasPrefix("error: no server answers at 127.0.0.1:"))
    }

    @Test(arguments: [
        (ErrorCode.unauthorized, Int32(77)), (.notFound, 1), (.nameTaken, 1), (.invalidRequest, 65), (.unavailable, 75),
    ])
    func aRefusalDecidesTheExitCode(code: ErrorCode, status: Int32) async throws {
        try await FakeServer.run({ _ in .refusal(code, "no such luck", hint: "do this") }) { address in
            let run = await CommandRun.run("env", "get", "日本 \(String(repeating: "x", count: 300))", at: address)
            #expect(run.status == status)
            #expect(run.errors == "error: no such luck\nhint: do this\n")
        }
    }

    @Test func statusEndsWith2WhenDegraded() async throws {
        try await FakeServer.run({ _ in .json(Samples.environment(state: "degraded")) }) { address in
            let run = await CommandRun.run("env", "status", "shop", at: address)
            #expect(run.status == 2)
            #expect(run.errors.isEmpty)
            #expect(run.output.hasPrefix("shop  baseline  degraded"))
        }
    }

    @Test func creatingWithoutWaitingSaysHowToWatch() async throws {
        try await withBlueprint(Self.blueprint) { file in
            let sent = Mutex<CreateRequest?>(nil)
            let run = try await FakeServer.run({ request in
                sent.withLock { $0 = try? JSONDecoder().decode(CreateRequest.self, from: Data(request.body)) }
                return .json(Self.accepted(Samples.environment(state: "pending")), status: 202)
            }) { address in
                await CommandRun.run("baseline", "create", "--file", file, at: address)
            }
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("microstax env wait shop"))
            let request = try #require(sent.withLock { $0 })
            #expect(request.blueprint == Self.blueprint)
            #expect(request.mode == "baseline")
            #expect(file == request.folder + "/shop.yaml")
        }
    }

    @Test func aWrongBlueprintIsRefusedHereWithEveryProblem() async throws {
        try await withBlueprint("name: shop\nservices:\n  - nam: web\n    comand: [x]\n") { file in
            let run = await CommandRun.run(
                ["env", "create", "--file", file], environment: ["MICROSTAX_API_URL": "http://127.0.0.1:1"])
            #expect(run.status == 65)
            #expect(run.errors.contains("\(file):3:5: error: "))
            #expect(run.errors.contains("\(file):4:5: error: "))
            let validated = await CommandRun.run(["env", "validate", "--file", file])
            #expect(validated.status == 65)
            #expect(validated.output.contains("\(file):3:5: error: "))
        }
    }

    @Test func aMissingSecretOrScriptIsAProblemAtItsPlace() async throws {
        let text = """
            name: shop
            services:
              - name: db
                command: ["postgres"]
                ports: [{name: sql, protocol: tcp}]
                secrets: [{name: pw, envKey: PW, value: {fromEnv: MSX_TEST_ABSENT}}]
                init: {type: sql, engine: postgres, script: seed.sql}
            """
        try await withBlueprint(text) { file in
            let run = await CommandRun.run(["env", "validate", "--file", file])
            #expect(run.status == 65)
            #expect(run.output.contains("\(file):6:"))
            #expect(run.output.contains("MSX_TEST_ABSENT"))
            #expect(run.output.contains("\(file):7:"))
            try Data("select 1;".utf8).write(
                to: URL(filePath: (file as NSString).deletingLastPathComponent + "/seed.sql"))
            let good = await CommandRun.run(["env", "validate", "--file", file], environment: ["MSX_TEST_ABSENT": "x"])
            #expect(good.status == 0, "\(good.output)")
        }
    }

    @Test func aMissingFileIsInvalidInput() async {
        let run = await CommandRun.run(["env", "validate", "--file", "/nonexistent.yaml"])
        #expect(run.status == 65)
        #expect(run.errors == "error: cannot read /nonexistent.yaml: No such file or directory\n")
    }

    @Test func waitingShowsStepsAndThenWhereItAnswers() async throws {
        try await withBlueprint(Self.blueprint) { file in
            let run = try await FakeServer.run({ request in
                if request.path.hasSuffix("/events") {
                    return .events([
                        Samples.event("running", [Samples.step("service/web/start", "running")]),
                        Samples.event("succeeded", [Samples.step("service/web/start", "succeeded")]),
                    ])
                }
                return .json(Self.accepted(Samples.environment(state: "pending")), status: 202)
            }) { address in
                await CommandRun.run("env", "create", "--file", file, "--wait", at: address)
            }
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.contains("] service/web/start  succeeded\n"))
            #expect(run.output.hasPrefix("shop is running ("))
            #expect(run.output.contains("http://storefront.shop.localhost:7080/"))
        }
    }

    @Test func aFailedCreationEndsWith1AndItsReason() async throws {
        try await withBlueprint(Self.blueprint) { file in
            let run = try await FakeServer.run({ request in
                if request.path.hasSuffix("/events") {
                    let failed = Samples.step("service/web/start", "failed", error: "exited with 3\nlast words")
                    return .events([Samples.event("failed", environment: Samples.environment(state: "error"), [failed])]
                    )
                }
                return .json(Self.accepted(Samples.environment(state: "pending")), status: 202)
            }) { address in
                await CommandRun.run("env", "create", "--file", file, "--wait", "-o", "json", at: address)
            }
            #expect(run.status == 1)
            #expect(run.output.isEmpty)
            #expect(run.errors.contains("error: shop did not come up: step service/web/start failed"))
            #expect(run.errors.contains("last words"))
        }
    }

    @Test func aWaitGoesOnWhenTheConnectionBreaks() async throws {
        let connections = Mutex(0)
        let run = try await FakeServer.run({ request in
            guard request.path.hasSuffix("/events") else { return .json(Samples.environment()) }
            let count = connections.withLock { count in
                count += 1
                return count
            }
            switch count {
            case 1: return .events([Samples.event("running", [])])
            case 2: return .refusal(.unavailable, "starting")
            case 3: return .text("", status: 502)
            default: return .events([Samples.event("succeeded", [])])
            }
        }) { address in
            await CommandRun.run("env", "wait", "shop", at: address)
        }
        #expect(run.status == 0, "\(run.errors)")
        #expect(connections.withLock { $0 } == 4)
        #expect(run.errors.contains("the server is away"))
    }

    @Test func callsInEveryFormat() async throws {
        let call = CallView(
            caller: "web", callerEnvironment: "shop", service: "payments", context: "feat", provider: "feat",
            error: nil,
            count: 12)
        try await FakeServer.run({ request in
            request.path == "/v1/environments/shop/calls" ? .json([call]) : .refusal(.notFound, "not \(request.path)")
        }) { address in
            let table = await CommandRun.run("env", "calls", "shop", at: address)
            #expect(table.status == 0, "\(table.errors)")
            #expect(table.output == ExplanationTables.calls([call]))
            let json = await CommandRun.run("env", "calls", "shop", "-o", "json", at: address)
            let decoded = try JSONDecoder().decode([CallView].self, from: Data(json.output.utf8))
            #expect(decoded == [call])
            let yaml = await CommandRun.run("env", "calls", "shop", "-o", "yaml", at: address)
            #expect(yaml.output.contains("caller: web\n"))
            let quiet = await CommandRun.run("env", "calls", "shop", "--quiet", at: address)
            #expect(quiet.output == "web payments\n")
            let missing = await CommandRun.run("env", "calls", "none", at: address)
            #expect(missing.status == 1)
        }
    }

    @Test func aTimeLimitEndsWith75AndNamesWhatRuns() async throws {
        let run = try await FakeServer.run({ _ in
            let event = Samples.event("running", [Samples.step("service/web/ready", "running", message: "no answer")])
            return .openEvents([event])
        }) { address in
            await CommandRun.run("env", "wait", "shop", "--timeout", "5s", at: address)
        }
        #expect(run.status == 75)
        #expect(run.errors.contains("still running: service/web/ready (no answer)"))
    }

    @Test func severalAreDeletedAlthoughOneIsNotThere() async throws {
        let run = try await FakeServer.run({ request in
            if request.path.hasSuffix("/gone") { return .refusal(.notFound, "there is no environment gone") }
            if request.path.hasSuffix("/events") { return .refusal(.notFound, "gone already") }
            let execution = Samples.event("running", kind: "delete", []).execution
            return .json(ChangeView(environment: Samples.environment(), execution: execution, plan: []), status: 202)
        }) { address in
            await CommandRun.run("env", "delete", "gone", "shop", at: address)
        }
        #expect(run.status == 1)
        #expect(run.output == "shop is deleted\n")
        #expect(run.errors.contains("error: there is no environment gone\n"))
        #expect(run.errors.contains("error: 1 of 2 could not be deleted"))
    }

    @Test func aBaselineIsDeletedAfterItsOverlays() async throws {
        let order = Mutex<[String]>([])
        let run = try await FakeServer.run({ request in
            let name = String(request.path.split(separator: "/").last ?? "")
            let seen = order.withLock { order in
                order.append(name)
                return order
            }
            if name == "shop", !seen.contains("feat") { return .refusal(.hasOverlays, "shop has an overlay: feat") }
            let view = ChangeView(environment: Samples.environment(name), execution: nil, plan: [])
            return .json(view, status: 202)
        }) { address in
            await CommandRun.run("env", "delete", "shop", "feat", at: address)
        }
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "feat is deleted\nshop is deleted\n")
    }

    @Test func aWaitStartsTheLocalServerAgain() async throws {
        let revivals = Mutex(0)
        let connections = Mutex(0)
        try await FakeServer.run({ _ in
            let isFirst = connections.withLock { count in
                count += 1
                return count < 3
            }
            return isFirst ? .text("", status: 502) : .events([Samples.event("succeeded", [])])
        }) { address in
            var display = ProgressDisplay(.silent)
            let watch = Watch(
                client: APIClient(address: address), environment: "shop", goal: .running,
                revive: { revivals.withLock { $0 += 1 } })
            guard case .reached = try await watch.run(&display) else {
                Issue.record("the goal was not reached")
                return
            }
        }
        let count = revivals.withLock { $0 }
        #expect(count == 1)
    }

    @Test func anOverlayCommandRefusesABaseline() async throws {
        try await FakeServer.run({ _ in .json(Samples.environment()) }) { address in
            let run = await CommandRun.run("overlay", "delete", "shop", at: address)
            #expect(run.status == 1)
            #expect(run.errors.contains("shop is no overlay"))
        }
    }

    @Test func explainingAServiceNamesItsCandidates() async throws {
        let resolution = ResolutionView(
            service: "payments", provider: ProviderView(kind: "local", environment: "feat", revision: 1),
            candidates: [
                .init(environment: "feat", kind: "local", chosen: true, why: "changed here"),
                .init(environment: "shop", kind: "baseline", chosen: false, why: "overridden"),
            ])
        try await FakeServer.run({ _ in .json([resolution]) }) { address in
            let run = await CommandRun.run("env", "explain", "feat", "--service", "payments", at: address)
            #expect(
                run.output == """
                    payments is answered by feat#r1 (local)

                    CANDIDATE  KIND      CHOSEN  WHY
                    feat       local     yes     changed here
                    shop       baseline  no      overridden

                    """)
            let missing = await CommandRun.run("env", "explain", "feat", "--service", "nix", at: address)
            #expect(missing.status == 1)
        }
    }

    @Test func logsAreMerged() async throws {
        try await FakeServer.run({ request in
            guard request.path.hasSuffix("/logs") else {
                return .json(Samples.environment(services: [Samples.service("orders"), Samples.service("pay")]))
            }
            let service = request.query["service"] ?? "none"
            return .text(#"{"time":"t","service":"pay","stream":"stdout","text":"for \#(service)"}"# + "\n")
        }) { address in
            let run = await CommandRun.run("env", "logs", "shop", "--service", "pay,orders", at: address)
            #expect(run.output == "pay    | for pay,orders\n")
            let unknown = await CommandRun.run("env", "logs", "shop", "--service", "nix", at: address)
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("it has: orders, pay"))
        }
    }

    @Test func followedLogsGoOnWhereTheConnectionBroke() async throws {
        func line(_ second: Int, _ text: String) -> String {
            #"{"time":"2026-11-20T19:00:0\#(second).000Z","service":"a","stream":"stdout","text":"\#(text)"}"# + "\n"
        }
        let first = line(4, "one") + line(5, "two") + line(5, "three") + #"{"time":"2026"#
        let second = line(5, "two") + line(5, "three") + line(5, "four") + line(6, "five")
        let queries = Mutex<[[String: String]]>([])
        let run = try await FakeServer.run({ request in
            guard request.path.hasSuffix("/logs") else {
                return .json(Samples.environment(services: [Samples.service("a")]))
            }
            let count = queries.withLock { queries in
                queries.append(request.query)
                return queries.count
            }
            return .text(count == 1 ? first : second)
        }) { address in
            await CommandRun.run("env", "logs", "shop", "-f", "--tail", "3", at: address)
        }
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == "a | one\na | two\na | three\na | four\na | five\n")
        let asked = queries.withLock { $0 }
        #expect(asked[0]["tail"] == "3")
        #expect(asked[1]["since"] == String(Samples.fiveSeconds))
        #expect(asked[1]["tail"] == nil)
    }

    @Test func theVersionNeedsNoServer() async throws {
        let run = try await withClosedPort { await CommandRun.run("version", at: $0) }
        #expect(run.status == 0)
        #expect(run.output == "microstax  \(productVersion)\nserver     not running\n")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completionsComeForEveryShell(shell: String) async {
        let run = await CommandRun.run(["completion", shell])
        #expect(run.status == 0)
        #expect(run.output.contains("overlay"))
    }
}
