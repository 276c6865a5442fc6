import Blueprints
import Testing

@Suite struct CheckTests {
    static let topLevel: [Case] = [
        Case("[]", "wrong_type@1:1"),
        Case("hello", "wrong_type@1:1"),
        Case("{}", "missing_field@1:1", "missing_field@1:1"),
        Case("name: x", "missing_field@1:1"),
        Case("name: x\nservices: []", "missing_field@2:11"),
        Case("name: x\nservices: 5", "wrong_type@2:11"),
        Case("name: x\nservices: [5]", "wrong_type@2:12"),
        Case("name: x\nservices: [{command: [a]}]", "missing_field@2:12"),
        Case(
            "nam: x\nservces: {a: {command: [a]}}", "missing_field@1:1", "missing_field@1:1", "unknown_key@1:1",
            "unknown_key@2:1"),
        Case("name: [x]\nservices: {a: {command: [a]}}", "wrong_type@1:7"),
        Case("name: x\nlabels: [a]\nservices: {a: {command: [a]}}", "wrong_type@2:9"),
        Case("name: x\nlabels: {a: [b]}\nservices: {a: {command: [a]}}", "wrong_type@2:13"),
        Case("name: x\nruntime: proces\nservices: {a: {command: [a]}}", "unknown_value@2:10"),
        Case("name: x\nrepair: no\nservices: {a: {command: [a]}}", "unknown_value@2:9"),
        Case("name: x\nrouting: {mode: isolatd}\nservices: {a: {command: [a]}}", "unknown_value@2:17"),
        Case("name: x\nrouting: {mod: isolated}\nservices: {a: {command: [a]}}", "unknown_key@2:11"),
        Case("name: x\nrouting: {headerName: a b}\nservices: {a: {command: [a]}}", "invalid_name@2:23"),
        Case("name: x\nrouting: {propagateHeader: yes}\nservices: {a: {command: [a]}}", "wrong_type@2:28"),
        Case("name: x\nrouting: {mode: overlay}\nservices: {a: {command: [a]}}", "mode_mismatch@2:17", mode: .baseline),
        Case("name: x\nservices: {a: 5}", "wrong_type@2:15"),
        Case("name: x\nservices: {a: {name: b, command: [a]}}", "name_mismatch@2:16"),
        Case("name: x\nservices: [{name: a, command: [a]}, {name: a, command: [b]}]", "duplicate_name@2:44"),
        Case("name: x\n? [a]\n: b\nservices: {a: {command: [a]}}", "wrong_type@2:3"),
    ]

    static let services: [Case] = [
        .service("comand: [b]", "unknown_key@3:1"),
        .service("environment: {A: b}", "unknown_key@3:1"),
        .service("image: nginx:1", "not_supported_yet@3:1", "one_of@3:1"),
        .service("replicas: two", "wrong_type@3:11"),
        .service("replicas: -1", "out_of_range@3:11"),
        .service("args: --flag", "wrong_type@3:7"),
        .service("build: make", "wrong_type@3:8"),
        .service("build: []", "invalid_text@3:8"),
        .service("user: 'a b'", "invalid_text@3:7"),
        .service("expose: yes", "wrong_type@3:9"),
        .service("expose: true", "missing_field@3:9"),
        .service("restart: allways", "unknown_value@3:10"),
        .service("stopSignal: SIGTRM", "invalid_signal@3:13"),
        .service("stopGraceSeconds: -1", "out_of_range@3:19"),
        .service("stopGraceSeconds: 1e999", "out_of_range@3:19"),
        .service("stopGraceSeconds: '10'", "wrong_type@3:19"),
        .service("env: [A=b]", "wrong_type@3:6"),
        .service("env: {A: [b]}", "wrong_type@3:10"),
        .service("env: {'A B': c}", "invalid_name@3:7"),
        .service("env: {A: \"a\\0b\"}", "invalid_text@3:10"),
        .service("command2: 1", "unknown_key@3:1"),
    ]

    static let ports: [Case] = [
        .service("ports: 8080", "wrong_type@3:8"),
        .service("ports: [{name: api, tls: true}]"),
        .service("ports: [{name: api, tls: yes}]", "wrong_type@3:26"),
        .service("ports: [{name: api, tls: {verify: false}}]", "unknown_key@3:27"),
        .service("ports: [{name: api, tls: {ca: ca.pem}}]", "invalid_tls@3:31"),
        .service("ports: [{name: db, protocol: tcp, tls: true}]", "invalid_tls@3:40"),
        .service("ports: ['80x']", "invalid_port@3:9"),
        .service("ports: ['8000-8010']", "invalid_port@3:9"),
        .service("ports: ['127.0.0.1:80:80']", "invalid_port@3:9"),
        .service("ports: [0]", "invalid_port@3:9"),
        .service("ports: ['70000']", "invalid_port@3:9"),
        .service("ports: ['53/udp']", "unknown_value@3:9"),
        .service("ports: [8080, 8080]", "duplicate_port@3:15"),
        .service("ports: [{name: http, containerPort: 1}, {name: http, containerPort: 2}]", "duplicate_name@3:48"),
        .service("ports: [{name: Web, containerPort: 1}]", "invalid_name@3:16"),
        .service("ports: [{containerPort: x}]", "invalid_port@3:25"),
        .service("ports: [{containerPort: 80, protocl: tcp}]", "unknown_key@3:29"),
        .service("ports: [{containerPort: 80, protocol: http3}]", "unknown_value@3:39"),
        .service("ports: ['90:80', '90:81']", "duplicate_port@3:18"),
    ]

    static let parts: [Case] = [
        .service("probes: {ready: {}}", "unknown_key@3:10"),
        .service("probes: {readiness: {}}", "one_of@3:21"),
        .service("probes: {readiness: {http: {path: /}, tcp: {port: 1}}}", "one_of@3:21"),
        .service("probes: {readiness: {http: {path: /}}}", "missing_field@3:28"),
        .service("ports: [80], probes: {readiness: {http: {path: health}}}", "invalid_path@3:48"),
        .service("ports: [80], probes: {readiness: {http: {port: admin}}}", "unknown_port@3:48"),
        .service("ports: [80], probes: {readiness: {tcp: {port: 81}}}", "unknown_port@3:47"),
        .service("probes: {readiness: {exec: {command: true}}}", "wrong_type@3:38"),
        .service("probes: {readiness: {exec: {}}}", "missing_field@3:28"),
        .service("probes: {readiness: {log: {pattern: '('}}}", "invalid_pattern@3:37"),
        .service("probes: {readiness: {log: {pattern: a}, periodSeconds: 0}}", "out_of_range@3:56"),
        .service("probes: {readiness: {log: {pattern: a}, failureThreshold: 0}}", "out_of_range@3:59"),
        .service("probes: {readiness: {log: {pattern: a}, timeoutSeconds: .nan}}", "wrong_type@3:57"),
        .service("volumes: [{name: d}]", "missing_field@3:11"),
        .service("volumes: [{name: d, mountPath: ../x}]", "invalid_path@3:32"),
        .service("volumes: [{name: d, mountPath: /d, size: 1Gb}]", "invalid_quantity@3:42"),
        .service("volumes: [{name: d, mountPath: /d, size: 1Gi}]", "size_not_enforced@3:42"),
        .service("volumes: [{name: d, mountPath: /d, type: pvv}]", "unknown_value@3:42"),
        .service("secrets: [{name: s}]", "missing_field@3:11", "missing_field@3:11"),
        .service("secrets: [{name: s, envKey: S, value: {fromEnv: A, fromFile: b}}]", "one_of@3:39"),
        .service("secrets: [{name: s, envKey: S, value: {fromEnvv: A}}]", "unknown_key@3:40"),
        .service("secrets: [{name: s, envKey: S, value: x}], env: {S: y}", "duplicate_variable@3:29"),
        .service("init: {type: sqll}", "unknown_value@3:14"),
        .service("init: {script: a.sql}", "missing_field@3:7"),
        .service("init: {type: sql}", "missing_field@3:7"),
        .service("init: {type: sql, script: \"select 1;\\nselect 2\"}", "invalid_path@3:27"),
        .service("init: {type: command, script: a.sql}", "missing_field@3:7", "unknown_key@3:23"),
        .service("init: [{type: http, request: {method: FETCH, path: /}}]", "missing_field@3:30", "unknown_value@3:39"),
        .service("init: {type: sql, script: a.sql, password: '${secret.x}'}", "unknown_reference@3:44"),
    ]

    static let relations: [Case] = [
        .service("dependsOn: a", "wrong_type@3:12"),
        .service("dependsOn: [a]", "self_dependency@3:13"),
        .service("dependsOn: [db]", "unknown_service@3:13"),
        .service("dependsOn: [{service: db, condition: healthy}]", "unknown_service@3:23"),
        .service("dependsOn: [{condition: healthy}]", "missing_field@3:13"),
        .service("dependsOn: [b, b]}, b: {command: [b]", "duplicate_name@3:16"),
        .service("dependsOn: [{service: b, condition: helthy}]}, b: {command: [b]", "unknown_value@3:37"),
        .service("env: {A: '${services.db.address}'}", "unknown_service@3:10"),
        .service("env: {A: '${services.a.address}'}"),
        .service("env: {A: '${services.a.adress}'}", "unknown_attribute@3:10"),
        .service("env: {A: '${services.a}'}", "unknown_reference@3:10"),
        .service("env: {A: '${service.a.url}'}", "unknown_reference@3:10"),
        .service("env: {A: '${services.a.url'}", "unterminated_reference@3:10"),
        .service("env: {A: '${x ${services.a.url ${'}", "unterminated_reference@3:10"),
        .service("env: {A: '${env.name}'}", "unknown_attribute@3:10"),
        .service("env: {A: '${secrets.s}'}", "unknown_secret@3:10"),
        .service("env: {A: '$HOME ${HOME} ${X:-y} $(date) $${services.x.y}'}"),
        .service("args: ['${services.a.url}']", "unexpanded_reference@3:8"),
        .service("env: {A: 'http://b:8080/x'}}, b: {command: [b]", "literal_address@3:10"),
        .service("env: {A: 'see b'}}, b: {command: [b]"),
    ]

    static let notBuilt: [Case] = [
        .service("replicas: 2,\nvolumes: [{name: d, mountPath: /d}]", "shared_volume@3:11"),
        .service("resources: {cpu: 500m}", "not_supported_yet@3:1"),
        .service("resources: {cpu: lots}", "not_supported_yet@3:1", "invalid_quantity@3:18"),
        .service("data: branch", "not_supported_yet@3:7"),
        .service("data: inherit"), .service("data: empty"),
        .service("activation: onDemand", "missing_field@3:13"), .service("activation: onDemand,\nports: ['80']"),
        .service("activation: eager"),
        .service("claims: ['queue:orders']"), .service("claims: ['queue orders']", "invalid_text@3:9"),
        .service("claims: queue", "wrong_type@3:9"), .service("contract: api.yaml"),
        .service("contract: ''", "invalid_text@3:11"), .service("data: other", "unknown_value@3:7"),
        .service("init: {type: sql, engine: mysql, script: a.sql}", "not_supported_yet@3:27"),
        .service("dependsOn: [{service: b, condition: completed}]}, b: {command: [b]", "not_supported_yet@3:37"),
        Case("name: x\nservices: {a: {image: nginx}}", "not_supported_yet@2:16"),
        Case(
            "name: x\nservices: {a: {image: nginx}}", "not_supported_yet@2:16", "unpinned_image@2:23", mode: .baseline),
        Case("name: x\nservices: {a: {mock: {mode: static}}}", "not_supported_yet@2:16"),
        Case("name: x\nextends: [base]\nservices: {a: {command: [a]}}"),
        Case("name: x\nextends: base\nservices: {a: {command: [a]}}", "wrong_type@2:10"),
        Case(
            "name: x\nextends: [a@0, {}, 'b c']\nservices: {a: {command: [a]}}", "invalid_name@2:11", "wrong_type@2:16",
            "invalid_name@2:20"),
        Case(
            "name: x\nextends: [a@1, a@2, a@1]\nservices: {a: {command: [a]}}", "layer_conflict@2:16",
            "duplicate_name@2:21"),
        Case(
            "name: x\nuses: [{service: a}]\nservices: {a: {command: [a]}}", "not_supported_yet@2:1", "missing_field@2:8"
        ),
        Case(
            "name: x\nplans: {p: {services: {a: {replicas: 2}}}}\nservices: {a: {command: [a]}}",
            "not_supported_yet@2:1"),
        Case("name: x\nsnapshot: {}\nservices: {a: {command: [a]}}", "not_supported_yet@2:1"),
        Case("name: x\nseeds: [s]\nservices: {a: {command: [a]}}", "not_supported_yet@2:1"),
        Case("name: x\nresidency: {allow: [eu]}\nservices: {a: {command: [a]}}"),
        Case("name: x\nresidency: {allow: [eu], deny: [eu]}\nservices: {a: {command: [a]}}", "contradiction@2:32"),
        Case("name: x\nresidency: {allow: []}\nservices: {a: {command: [a]}}", "contradiction@2:20"),
        Case("name: x\nresidency: {region: eu}\nservices: {a: {command: [a]}}", "unknown_key@2:13"),
        Case("name: x\nruntime: kubernetes\nservices: {a: {command: [a]}}", "not_supported_yet@2:10"),
        Case("name: x\nruntime: process\nservices: {a: {command: [a]}}"),
        Case("name: x\nrouting: {mode: shadow}\nservices: {a: {command: [a]}}", "not_supported_yet@2:17"),
        Case("name: x\nrouting: {attribution: maybe}\nservices: {a: {command: [a]}}", "unknown_value@2:24"),
        Case(
            "name: x\nrouting: {attribution: off, carry: auto}\nservices: {a: {command: [a]}}"
        ),
    ]

    @Test(arguments: [topLevel, services, ports, parts, relations, notBuilt].flatMap { $0 })
    func reports(_ example: Case) {
        let run = Run(example.yaml, mode: example.mode)
        #expect(run.found == example.expected, "\(run.diagnostics.map(\.rendered).joined(separator: "\n"))")
    }

    @Test(arguments: [
        ("", "is empty"), ("my shop", "has a space"), ("Shop", "has capital letters"), ("a--b", "has `--`"),
        ("-a", "begins or ends with `-`"), ("a_b", "has `_`"), ("магазин", "has other letters than a to z"),
        ("店", "has other letters than a to z"), (String(repeating: "a", count: 300), "is longer than 63 bytes"),
        ("a.b", "has `.`"),
    ])
    func saysWhatIsWrongWithAName(name: String, problem: String) throws {
        for yaml in [
            "name: '\(name)'\nservices: {a: {command: [a]}}", "name: x\nservices: [{name: '\(name)', command: [a]}]",
        ] {
            let run = Run(yaml)
            #expect(run.diagnostics.map(\.code) == ["invalid_name"])
            let diagnostic = try #require(run.diagnostics.first)
            #expect(diagnostic.message.contains(problem))
            #expect(diagnostic.message.count < 200)
        }
    }

    @Test(arguments: [
        ("name: x\nservces: {}", "unknown_key", "did you mean `services`?"),
        ("name: x\nservices: {a: {command: [a], depends_on: []}}", "unknown_key", "did you mean `dependsOn`?"),
        ("name: x\nservices: {a: {command: [a], environment: {}}}", "unknown_key", "did you mean `env`?"),
        (
            "name: my shop\nservices: {a: {command: [a]}}", "invalid_name",
            "`my-shop` would do; a name is up to 63 of a-z, 0-9 and `-`"
        ),
        (
            "name: x\nservices: {orders-db: {command: [a]}, b: {command: [b], dependsOn: [order-db]}}",
            "unknown_service", "did you mean `orders-db`?"
        ),
        (
            "name: x\nservices: {orders-db: {command: [a]}, b: {command: [b], env: {A: '${services.ordersdb.url}'}}}",
            "unknown_service", "did you mean ${services.orders-db.…}?"
        ),
        (
            "name: x\nservices: {a: {command: [a], env: {A: '${services.a.adress}'}}}", "unknown_attribute",
            "did you mean ${services.a.address}?"
        ),
        (
            "name: x\nservices: {a: {command: [a], env: {A: '${secrets.tokn}'}, secrets: [{name: token, envKey: T, value: x}]}}",
            "unknown_secret", "did you mean ${secrets.token}?"
        ),
        ("name: x\nservices: {a: {command: [a], restart: onfailure}}", "unknown_value", "did you mean `onFailure`?"),
        ("name: x\nservices: {a: {command: [a], stopSignal: sigtrem}}", "invalid_signal", "did you mean `SIGTERM`?"),
        (
            "name: x\nservices: {a: {command: npm start}}", "wrong_type",
            "write [sh, -c, \"npm start\"], or each word as an item of a list"
        ),
    ])
    func suggests(yaml: String, code: String, hint: String) throws {
        #expect(try #require(Run(yaml).diagnostic(code)).hint == hint)
    }

    @Test func rendersWithPlaceAndHint() throws {
        let run = Run("name: x\nservices: {a: {comand: [a], command: [a]}}")
        #expect(
            run.diagnostics.map(\.rendered) == [
                "blueprint.yaml:2:16: error: `comand` is not a field of services.a [unknown_key]\nhint: did you mean `command`?"
            ])
    }

    @Test func reportsEveryProblemInOneRunByPosition() {
        let run = Run(
            """
            name: My Shop
            descripton: x
            services:
              web:
                command: [./web]
                ports: [99999]
                dependsOn: [ap]
                env: {API: "${services.api.adress}"}
              api:
                replicas: many
            """)
        #expect(
            run.found == [
                "invalid_name@1:7", "unknown_key@2:1", "invalid_port@6:13", "unknown_service@7:17",
                "unknown_attribute@8:16", "one_of@9:3", "wrong_type@10:15",
            ])
    }

    @Test func hostNamesOfOverlaysFit() {
        let service = String(repeating: "s", count: 40)
        let overlay = String(repeating: "o", count: 21)
        func run(_ id: String, expose: Bool = true) -> Run {
            Run(
                "name: x\nrouting: {overlayId: \(id)}\n"
                    + "services: {\(service): {command: [a], ports: [80], expose: \(expose)}}", mode: .overlay)
        }
        #expect(run(overlay).found == [])
        #expect(run(overlay + "o").found == ["host_name_too_long@2:22"])
        #expect(run(overlay + "o").diagnostics.first?.hint == "write a `routing.overlayId` of up to 21 bytes")
        #expect(run(overlay + "o", expose: false).found == [])
    }

    @Test func theLongestHostNameFits() {
        let longest = String(repeating: "n", count: 63)
        let run = Run("name: \(longest)\nservices: {\(longest): {command: [a], ports: [80], expose: true}}")
        #expect(run.found == [])
        #expect("\(longest).\(longest).localhost".utf8.count <= 253)
    }

    @Test(arguments: [
        "te", "TE", "tracestate", "cookie", "host", "connection", "content-length", "content-type", "Content-Encoding",
        "transfer-encoding", "x-forwarded-for", "X-Forwarded-Proto", "forwarded", "baggage", "traceparent",
        "authorization", "set-cookie", "b3", "x-b3-traceid", "x-msx-route", "X-MSX-Hop", "upgrade", "expect", "trailer",
        "keep-alive", "proxy-authorization", "proxy-connection", "accept", "accept-encoding", "date", "via", "origin",
        "referer", "user-agent", "range", "if-match", "sec-websocket-key", "x-request-id", "x-real-ip",
    ])
    func aHeaderWithAMeaningOfItsOwnIsRefused(name: String) throws {
        let run = Run("name: x\nrouting: {headerName: \(name)}\nservices: {a: {command: [a]}}")
        #expect(run.found == ["reserved_name@2:23"])
        let found = try #require(run.diagnostics.first)
        #expect(found.message == "the header `\(name)` has a meaning of its own")
        #expect(found.hint == "`x-msx-env`, or any `x-…` name of your own")
    }

    @Test(arguments: ["x-msx-env", "X-Msx-Env", "x-tenant", "X-Shop-Context", "team-context", "x-b3", "x-envelope"])
    func otherHeadersMayCarryTheContext(name: String) throws {
        let run = Run("name: x\nrouting: {headerName: \(name)}\nservices: {a: {command: [a]}}")
        #expect(run.found == [])
        #expect(run.spec?.routing.headerName == name.lowercased())
    }
}
