import API
import Testing

@testable import Commands

@Suite struct RenderingTests {
    @Test func aTableIsAlignedAndHasNoTrailingSpaces() {
        let table = Table(["NAME", "STATE", "NOTE"], [["shop", "running", ""], ["店舗", "error", "a\tb\u{1B}[31m"]])
        #expect(
            table.rendered() == """
                NAME  STATE    NOTE
                shop  running  -
                店舗  error    a b\u{FFFD}[31m

                """)
    }

    @Test func aTableWithoutRowsHasItsHeadings() {
        #expect(Table(["NAME", "MODE"], []).rendered() == "NAME  MODE\n")
    }

    @Test(arguments: [
        ("abc", 3), ("店舗", 4), ("e\u{301}", 1), ("👍", 2), ("", 0), ("a\u{1B}", 1), ("naïve", 5), ("✓", 1),
    ])
    func widthIsThatOfATerminal(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test func truncatingNeverExceedsTheWidth() {
        for width in 0...12 {
            #expect(DisplayWidth.of(DisplayWidth.truncated("a店b舗cdefgh", to: width)) <= width)
        }
        #expect(DisplayWidth.truncated("a店b", to: 4) == "a店b")
        #expect(DisplayWidth.truncated("a店bc", to: 4) == "a店…")
    }

    @Test func theListOfEnvironments() {
        let services = [Samples.service("orders"), Samples.service("payments", kind: "baseline")]
        let text = EnvironmentTables.list(
            [Samples.environment(), Samples.environment("feat", mode: "overlay", services: services)],
            now: Samples.fiveSeconds + 600_000)
        #expect(
            text == """
                NAME  MODE      STATE    PARENT              SERVICES  AGE  URL
                shop  baseline  running  -                   0         10m  http://127.0.0.1:41001/
                feat  overlay   running  shop#r3 (2 behind)  1 of 2    10m  http://127.0.0.1:41001/

                """)
    }

    @Test func theStatusOfAnEnvironment() {
        let services = [
            Samples.service("orders", state: "unhealthy", message: "GET /ready: 503\nmore"),
            Samples.service("payments", kind: "baseline"),
        ]
        let environment = Samples.environment(
            "feat", mode: "overlay", state: "degraded", services: services, message: "orders is unhealthy")
        #expect(
            EnvironmentTables.status(environment) == """
                feat  overlay  degraded  revision 3  on shop#r3 (2 behind)
                orders is unhealthy

                SERVICE   PROVIDER            STATE      READY  RESTARTS  MESSAGE
                orders    shop#r3 (local)     unhealthy  0/1    0         GET /ready: 503
                payments  shop#r3 (baseline)  ready      1/1    0         -

                """)
    }

    @Test func whoCalledWhom() {
        let text = ExplanationTables.calls([
            CallView(
                caller: "web", callerEnvironment: "shop", service: "payments", context: "feat", provider: "feat",
                error: nil, count: 12),
            CallView(
                caller: "orders", callerEnvironment: "shop", service: "payments", context: nil, provider: nil,
                error: "unavailable", leak: "suspected", count: 1),
        ])
        #expect(
            text == """
                CALLER  FROM  SERVICE   CONTEXT  ANSWERED BY  ERROR        LEAK       COUNT
                web     shop  payments  feat     feat         -            -          12
                orders  shop  payments  -        -            unavailable  suspected  1

                """)
    }

    @Test func whatIsEmptyTakesNoLinesOfItsOwn() throws {
        #expect(try OutputFormat.json.written([String]()) { "" } == "[]\n")
        let json = try OutputFormat.json.written(["a": [String: String](), "b": ["x": "\n\n"]]) { "" }
        #expect(json == "{\n  \"a\" : {},\n  \"b\" : {\n    \"x\" : \"\\n\\n\"\n  }\n}\n")
    }

    @Test func jsonIsSortedAndYamlIsTheSame() throws {
        let provider = ProviderView(kind: "local", environment: "shop", revision: 3)
        let json = try OutputFormat.json.written(provider) { "" }
        #expect(json == "{\n  \"environment\" : \"shop\",\n  \"kind\" : \"local\",\n  \"revision\" : 3\n}\n")
        let yaml = try OutputFormat.yaml.written(provider) { "" }
        #expect(yaml == "environment: shop\nkind: local\nrevision: 3\n")
    }

    @Test func logLinesStandBehindTheirServices() throws {
        let writer = LogWriter(services: ["orders", "pay"], palette: .plain)
        func line(_ service: String, _ stream: String) throws -> String {
            try writer.written(LogLineView(time: "t", service: service, stream: stream, text: "hello"), .table)
        }
        #expect(try line("pay", "stdout") == "pay    | hello\n")
        #expect(try line("orders", "build") == "orders | [build] hello\n")
        let json = try writer.written(LogLineView(time: "t", service: "pay", stream: "stdout", text: "a/b"), .json)
        #expect(json == "{\"service\":\"pay\",\"stream\":\"stdout\",\"text\":\"a/b\",\"time\":\"t\"}\n")
        let timed = LogWriter(services: ["pay"], palette: .plain, showsTimes: true)
        let text = try timed.written(LogLineView(time: "T1", service: "pay", stream: "stdout", text: "x"), .table)
        #expect(text == "T1 pay | x\n")
    }

    @Test func metricsShowWhatIsThere() {
        let usage = UsageView(
            processes: 2, cpuPercent: 12.34, intervalMilliseconds: 2000, cpuSeconds: 3.25, cpuSince: nil,
            memoryBytes: 40 << 20, restarts: 1, uptimeMilliseconds: 150_000)
        let requests = RequestMetricsView(
            total: 12, byProvider: [], errors: [.init(code: "no_endpoint", count: 2)], answeredHere: 9)
        let own = ProviderView(kind: "local", environment: "shop", revision: 1)
        let text = MetricsTables.written(
            MetricsView(
                id: "env-a", name: "shop", measuredAt: "t", requestsSince: nil,
                services: [
                    ServiceMetricsView(name: "api", provider: own, state: "ready", usage: usage, requests: requests),
                    ServiceMetricsView(name: "gone", provider: nil, state: "removed", usage: nil, requests: nil),
                ], message: "the gateway does not answer"))
        let lines = text.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        }
        #expect(lines[1].dropFirst(2).joined(separator: " ").hasSuffix("12.3% 3.3s 40 MiB 2 1 2m 12 9 2 no_endpoint"))
        #expect(lines[2] == ["gone"] + Array(repeating: "-", count: 10))
        #expect(text.hasSuffix("\nthe gateway does not answer\n"))
        #expect(
            [0, 1023, 1024, 10_240, 1_500_000, 3 << 30].map(MetricsTables.bytes) == [
                "0 B", "1023 B", "1.0 KiB", "10 KiB", "1.4 MiB", "3.0 GiB",
            ])
    }

    @Test func coloursOnlyWhereTheyAreWanted() {
        #expect(Palette(isTerminal: true, environment: ["TERM": "xterm"]).isColoured)
        #expect(!Palette(isTerminal: false, environment: ["TERM": "xterm"]).isColoured)
        #expect(!Palette(isTerminal: true, environment: ["TERM": "dumb"]).isColoured)
        #expect(!Palette(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": "1"]).isColoured)
        #expect(Palette(isTerminal: true, environment: ["TERM": "xterm", "NO_COLOR": ""]).isColoured)
    }

    @Test func whatWouldBeDoneIsShownWithItsReasons() {
        let accepted = AcceptedView(
            environment: Samples.environment("feat", mode: "overlay"), execution: nil,
            plan: [Samples.step("service/payments/start", "pending")],
            difference: [
                DifferenceView(
                    service: "payments", kind: "changed", reasons: ["command", "env.A"],
                    fields: [
                        FieldChangeView(path: "command", old: "[a]", new: "[b]"),
                        FieldChangeView(path: "env.A", old: nil, new: "1"),
                        FieldChangeView(path: "replicas", old: "2", new: nil),
                    ]), DifferenceView(service: "orders", kind: "follows", reasons: ["follows db"]),
                DifferenceView(service: "gone", kind: "removed", reasons: []),
                DifferenceView(service: "web", kind: "inherited", reasons: []),
            ],
            warnings: [])
        #expect(
            PlanTables.creation(accepted) == """
                feat would be created as overlay on shop#r3; nothing was done

                ~ payments  changed
                    command   [a] → [b]
                    env.A     (none) → 1
                    replicas  2 → (none)
                & orders  follows db
                - gone  removed; nobody answers for it here
                = 1 inherited: web

                STEP                    DOES                         WHY
                service/payments/start  does service/payments/start  because

                """)
    }
}
