import Testing

@testable import Blueprints

@Suite struct ImportTests {
    @Test func writesWhatAPersonWouldHaveWritten() {
        let run = ImportRun(FuzzCorpus.compose, beside: ["db/password.txt": "x", ".env": "A=1\nAPI_TOKEN=t\n"])
        #expect(
            run.imported?.text == """
                # Imported from compose.yaml by `microstax blueprint import`.
                # Comments say what needs your attention.

                name: my-shop

                services:
                  web-app:
                    # ports: 53:53/udp: only TCP is carried
                    # build: Compose built this image from ./web (with A). Build it under this name, or put the `command`
                    #   that starts the service on this machine in its place
                    # secrets: `db_password` is in the variable DB_PASSWORD, not in the file /run/secrets/db_password
                    # depends_on: `cache` is of a profile that is not taken; it is not waited for
                    # volumes: ./web of this machine is not mounted at /app; a process finds it in its `workdir`, an image
                    #   must have it built in
                    # replicas: one copy runs: 2 cannot share a volume
                    image: my-shop-web-app
                    args: [npm, run, start it]
                    ports: ["8080", "9000", "9001", "9002", "443"]
                    expose: true
                    env:
                      A: 1
                      DATABASE_URL: postgres://u:${secrets.db-password-2}@${services.the-db.address}/shop
                      CACHE_HOST: cache
                      CACHE_PORT: 6379
                      LOG: info
                    secrets:
                      - {name: db-password, envKey: DB_PASSWORD, value: {fromFile: ./db/password.txt}}
                      - {name: api-token, envKey: API_TOKEN, value: auto-generated}
                      - {name: db-password-2, envKey: DB_PASSWORD_2, value: auto-generated}
                    dependsOn: [the-db]
                    probes: {readiness: {http: {path: /health}, periodSeconds: 90, failureThreshold: 4}}
                    volumes:
                      - {name: node-modules, mountPath: /app/node_modules, type: ephemeral}
                      - {name: web-data, mountPath: /data}
                      - {name: tmp, mountPath: /tmp, type: ephemeral}
                    resources: {limits: {cpu: 500m, memory: 1536Mi}}

                  the-db:
                    image: postgres:16
                    user: "999"
                    ports: [5432/tcp]  # web-app calls it there
                    env:
                      POSTGRES_PASSWORD_FILE: /run/secrets/db_password
                      POSTGRES_USER: ""  # ${POSTGRES_USER} has no value
                    volumes: [{name: db-data, mountPath: /var/lib/postgresql/data}]
                    stopGraceSeconds: 60

                """)
    }

    struct Sample: Sendable, CustomTestStringConvertible {
        var compose: String
        var blueprint: String
        init(_ compose: String, _ blueprint: String) { (self.compose, self.blueprint) = (compose, blueprint) }
        var testDescription: String { compose.replacing("\n", with: "⏎") }
    }

    /// One service `a`: fields of Compose, and what our own fields must mean. Compared as specs, so order and form do
    /// not count.
    @Test(arguments: [
        Sample(
            "image: 'nginx:1'\ncommand: nginx -g 'daemon off;'",
            "image: 'nginx:1'\nargs: [nginx, -g, 'daemon off;']\nports: ['80']"),
        Sample("image: x:1\ncommand: [a, $$HOME, \"${B:-c}\"]", "image: x:1\nargs: [a, $HOME, c]"),
        Sample("image: x:1\nports: [8080]", "image: x:1\nports: ['8080']\nexpose: true"),
        Sample("image: x:1\nports: ['127.0.0.1:80:8080', '81:8080/tcp']", "image: x:1\nports: ['8080']\nexpose: true"),
        Sample("image: x:1\nports: ['[::1]:80:8080']", "image: x:1\nports: ['8080']\nexpose: true"),
        Sample(
            "image: x:1\nports: ['3000-3002:4000-4002']", "image: x:1\nports: ['4000', '4001', '4002']\nexpose: true"),
        Sample("image: x:1\nports: ['5432:5432']", "image: x:1\nports: [5432/tcp]"),
        Sample(
            "image: x:1\nports: [{target: 50051, app_protocol: grpc, name: rpc}]",
            "image: x:1\nports: [{name: rpc, containerPort: 50051, protocol: grpc}]\nexpose: true"),
        Sample("image: x:1\nexpose: ['9000']\nports: ['53:53/udp']", "image: x:1\nports: ['9000']"),
        Sample("image: x:1\nenvironment: [A=b=c, D=]", "image: x:1\nenv: {A: b=c, D: ''}"),
        Sample(
            "image: x:1\nenvironment: {A: 1, B: true, C: 1.50, D: 'null'}",
            "image: x:1\nenv: {A: 1, B: true, C: 1.50, D: 'null'}"),
        Sample("image: x:1\nenvironment: {A: '$${services.b.url}'}", "image: x:1\nenv: {A: '$${services.b.url}'}"),
        Sample("image: x:1\nenvironment: {A: '${X:-${Y:-z}}/${W-}/${V:+v}'}", "image: x:1\nenv: {A: z//}"),
        Sample(
            "image: x:1\nenvironment: ['DB_PASSWORD=${PW}']",
            "image: x:1\nsecrets: [{name: pw, envKey: DB_PASSWORD, value: auto-generated}]"),
        Sample("image: x:1\nenvironment: ['TZ=${TIMEZONE}', HOME]", "image: x:1\nenv: {TZ: '', HOME: ''}"),
        Sample("image: x:1\nuser: '1000:1000'\nworking_dir: /srv", "image: x:1\nuser: 1000\nworkdir: /srv"),
        Sample("image: x:1\nrestart: 'no'", "image: x:1\nrestart: never"),
        Sample("image: x:1\nrestart: on-failure:3", "image: x:1\nrestart: onFailure"),
        Sample("image: x:1\nrestart: unless-stopped", "image: x:1"),
        Sample(
            "image: x:1\nstop_signal: SIGINT\nstop_grace_period: 1m30s",
            "image: x:1\nstopSignal: int\nstopGraceSeconds: 90"),
        Sample("image: x:1\ndeploy: {replicas: 3}", "image: x:1\nreplicas: 3"),
        Sample(
            "image: x:1\nmem_limit: 512m\ncpus: 1.5", "image: x:1\nresources: {limits: {cpu: 1500m, memory: 512Mi}}"),
        Sample(
            "image: x:1\nvolumes: ['data:/var/lib/x']", "image: x:1\nvolumes: [{name: data, mountPath: /var/lib/x}]"),
        Sample("image: x:1\nvolumes: ['./a:/b:ro']", "image: x:1"),
        Sample(
            "image: x:1\nvolumes: [/lib/modules:/lib/modules]",
            "image: x:1\nvolumes: [{name: modules, mountPath: /lib/modules, type: host}]"),
        Sample(
            "image: x:1\ntmpfs: /run:size=64m", "image: x:1\nvolumes: [{name: run, mountPath: /run, type: ephemeral}]"),
        Sample("image: postgres:16", "image: postgres:16\nports: [5432/tcp]"),
        Sample("image: x:${TAG:-3}", "image: x:3"), Sample("image: x:${TAG}", "image: x"),
        Sample("build: .", "image: shop-a"), Sample("{}", "image: shop-a"),
        Sample(
            "image: x:1\nhealthcheck: {test: [CMD, pg_isready], interval: 10s, retries: 5, timeout: 5s}",
            "image: x:1\nprobes: {readiness: {exec: {command: [pg_isready]}, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 5}}"
        ),
        Sample(
            "image: x:1\nhealthcheck: {test: test -f /ok}",
            "image: x:1\nprobes: {readiness: {exec: {command: [sh, -c, test -f /ok]}}}"),
        Sample(
            "image: x:1\nports: ['80', '9200']\nhealthcheck: {test: curl --silent --fail localhost:9200/_cluster/health || exit 1, retries: 3}",
            "image: x:1\nports: ['80', '9200']\nexpose: true\nprobes: {readiness: {http: {path: /_cluster/health, port: 9200}, failureThreshold: 90}}"
        ),
        Sample(
            "image: x:1\nexpose: [80]\nhealthcheck: {test: [CMD, wget, -q, --spider, 'http://127.0.0.1/'], interval: 2s, start_period: 10s}",
            "image: x:1\nports: ['80']\nprobes: {readiness: {http: {path: /}, periodSeconds: 2, failureThreshold: 8}}"),
        Sample(
            "image: x:1\nports: ['80']\nhealthcheck: {test: 'curl -X POST localhost/x'}",
            "image: x:1\nports: ['80']\nexpose: true\nprobes: {readiness: {exec: {command: [sh, -c, curl -X POST localhost/x]}}}"
        ),
        Sample("image: x:1\nhealthcheck: {disable: true}", "image: x:1"),
        Sample("image: x:1\nhealthcheck: {test: [NONE]}", "image: x:1"),
    ])
    func carriesOver(sample: Sample) throws {
        let indented = sample.compose.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        let run = ImportRun("services:\n  a:\n\(indented)\n")
        let ours = sample.blueprint.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
        let (document, problems) = Blueprint.read(
            Array("name: shop\nservices:\n  a:\n\(ours)\n".utf8), file: "blueprint.yaml", folder: "/projects/shop")
        #expect(problems == [])
        let expected = Blueprint.check(try #require(document), mode: .baseline, unbuilt: .warning)
        let errors = expected.diagnostics.filter { $0.severity == .error }
        #expect(errors == [])
        #expect(run.spec?.services == expected.spec?.services, "\(run.imported?.text ?? "\(run.diagnostics)")")
    }

    @Test func namesAreTheSameEverywhere() throws {
        let run = ImportRun(
            """
            services:
              my_api:
                image: api:1
                depends_on: [the_db]
                command: ./wait the_db:5432 other_api -- ./api
                links: ["Cache:c"]
                environment:
                  URL: http://other_api:8080/x
                  DB: the_db:5432
                  DB_HOST: the_db
                  DB_PORT: 5432
                  SEEDS_HOSTS: the_db,Cache
              other_api: {image: o:1, ports: ["8080"], container_name: the-other}
              my-api: {image: m:1, environment: {U: "http://the-other:8080", V: "x://my_api:90"}}
              the_db: {image: "postgres:16", networks: {n: {aliases: [database]}}}
              Cache: {image: redis, environment: {U: "database:5432"}}
            """)
        let names = run.spec?.services.map(\.name)
        #expect(names == ["cache", "my-api", "my-api-2", "other-api", "the-db"])
        let api = try #require(run.service("my-api-2"))
        #expect(
            api.env == [
                "URL": "${services.other-api.url}/x", "DB": "${services.the-db.address}",
                "DB_HOST": "${services.the-db.host}", "DB_PORT": "${services.the-db.port}",
                "SEEDS_HOSTS": "the-db,cache",
            ])
        #expect(api.args == ["./wait", "the-db:5432", "other_api", "--", "./api"])
        #expect(api.dependsOn.map(\.service) == ["cache", "other-api", "the-db"])
        #expect(
            run.service("my-api")?.env == ["U": "${services.other-api.url}", "V": "x://${services.my-api-2.address}"])
        #expect(run.service("cache")?.env == ["U": "${services.the-db.address}"])
        #expect(run.notes.contains("changed services.my_api"))
    }

    @Test func whatWaitsInACircleOrForNothingIsLetGo() {
        let run = ImportRun(
            """
            services:
              a: {image: a:1, depends_on: [b, a]}
              b: {image: b:1, depends_on: {c: {condition: service_started}}}
              c: {image: c:1, depends_on: {a: {condition: service_completed_successfully}, gone: {}}, network_mode: "service:b"}
            """)
        #expect(run.service("a")?.dependsOn.map(\.service) == ["b"])
        #expect(run.service("b")?.dependsOn == [DependencySpec(service: "c", condition: .started)])
        #expect(run.service("c")?.dependsOn == [])
        #expect(run.imported?.text.contains("# depends_on: `a` waits for this service, too") == true)
        #expect(run.notes.filter { $0 == "attention services.c.depends_on" }.count == 3)
    }

    @Test func severalFilesIncludesAndExtends() {
        let run = ImportRun(
            """
            include: [./more/inner.yaml, gone.yaml]
            x-base: &base {restart: "no", environment: {A: 1, B: 2}}
            services:
              a: {<<: *base, image: a:1, ports: ["80"], command: [x]}
              b: {extends: a, image: b:1, environment: {B: 3}}
              c: {extends: {file: other.yaml, service: base}}
              d: {extends: d, image: d:1}
            """,
            beside: [
                "more/inner.yaml": "services: {inner: {build: ./here, extends: {file: ../other.yaml, service: base}}}",
                "other.yaml": "services: {base: {image: base:1, stop_signal: INT}}",
            ],
            over: ["services: {a: {command: [y], environment: [A=5, C=6], ports: [\"81\"], restart: !reset null}}"])
        #expect(run.spec?.services.map(\.name) == ["a", "b", "c", "d", "inner"])
        #expect(run.service("a")?.env == ["A": "5", "B": "2", "C": "6"])
        #expect(run.service("a")?.args == ["y"])
        #expect(run.service("a")?.ports.map(\.containerPort) == [80, 81])
        #expect(run.service("a")?.restart == .always)
        #expect(run.service("b")?.image == "b:1")
        #expect(run.service("b")?.env["B"] == "3")
        #expect(run.service("c")?.image == "base:1")
        #expect(run.service("inner")?.stopSignal == "SIGINT")
        #expect(run.notes.contains("attention include"))
        #expect(run.notes.contains("attention services.d.extends"))
        let inner = run.imported?.notes.first { $0.path == "services.inner.build" }
        #expect(inner?.file == "more/inner.yaml")
    }

    @Test func filesOfVariables() {
        let run = ImportRun(
            "services: {a: {image: \"a:${TAG}\", env_file: [one.env, gone.env, {path: no.env, required: false}], environment: {B: over}}}",
            beside: ["one.env": "# x\nexport A='b c'\nB=2\nDB_PASSWORD=hush\nC=d # why\nE\n"],
            options: ImportOptions(variables: ["TAG": "7", "DB_PASSWORD": "hush"]))
        #expect(run.service("a")?.image == "a:7")
        #expect(run.service("a")?.env == ["A": "b c", "B": "over", "C": "d", "E": ""])
        #expect(run.service("a")?.secrets.map(\.source) == [.fromEnv("DB_PASSWORD")])
        let text = run.imported?.text ?? "hush"
        #expect(!text.contains("hush"))
        #expect(run.notes.contains("attention services.a.env_file"))
        #expect(run.notes.contains("left out services.a.env_file"))
    }

    @Test func profilesAreAskedFor() {
        let text = "services: {a: {image: a:1}, b: {image: b:1, profiles: [p]}, c: {image: c:1, profiles: [q, p]}}"
        func names(_ profiles: Set<String>) -> [String]? {
            ImportRun(text, options: ImportOptions(profiles: profiles)).spec?.services.map(\.name)
        }
        #expect(names([]) == ["a"])
        #expect(names(["q"]) == ["a", "c"])
        #expect(names(["*"]) == ["a", "b", "c"])
        let alone = ImportRun("services: {b: {image: b:1, profiles: [p]}}")
        #expect(alone.spec?.services.map(\.name) == ["b"])
    }

    @Test(arguments: [
        ("", "empty_blueprint"), ("a: [", "yaml_syntax"), ("name: x", "not_compose"), ("services: [a]", "not_compose"),
        ("services: {}", "not_compose"), ("[]", "not_compose"), ("a: &a [*a]", "recursive_alias"),
    ])
    func otherFilesAreRefused(text: String, code: String) {
        let run = ImportRun(text)
        #expect(run.imported == nil)
        #expect(run.diagnostics.map(\.code) == [code])
    }

    /// Found by fuzzing: each `${` looked for its end again.
    @Test(.timeLimit(.minutes(1))) func defaultsInsideOfDefaultsAreReadInOneGo() {
        let open = String(repeating: "${A:-", count: 100_000)
        #expect(ImportRun("services: {a: {image: x, environment: {A: '\(open)'}}}").spec != nil)
        let closed = open + String(repeating: "}", count: 100_000)
        #expect(ImportRun("services: {a: {image: x, environment: {A: '\(closed)'}}}").spec != nil)
    }

    /// Found by fuzzing: the last ones referred to secrets that nobody had.
    @Test func moreSecretsThanThereCanBeAreLeftEmpty() {
        let all = (0..<1002).map { "A_PW\($0): \"${A_PW\($0)}\"" }.joined(separator: ", ")
        let run = ImportRun("services: {a: {image: x, environment: {\(all)}}}")
        let service = run.service("a")
        #expect(service?.secrets.count == 1000)
        #expect(service?.env == ["A_PW1000": "", "A_PW1001": ""])
    }

    /// Found by fuzzing: YAML has no keys of more than 1024 characters.
    @Test func aVariableWithAVeryLongNameIsNone() {
        let name = String(repeating: "A", count: 2000)
        let run = ImportRun("services: {a: {image: x, environment: ['\(name)=b', C=d]}}")
        #expect(run.service("a")?.env == ["C": "d"])
        #expect(run.notes.contains("attention services.a.environment"))
    }

    @Test func theFirstFormatIsKnown() {
        let run = ImportRun("web:\n  build: .\n  links: [db]\ndb:\n  image: postgres:9\n")
        #expect(run.service("web")?.dependsOn.map(\.service) == ["db"])
    }

    @Test func notesStandWhereTheThingStands() {
        let run = ImportRun("services:\n  web:\n    image: x:1\n    networks: [n]\n    wrong: 1\n    x-a: 1\n")
        #expect(
            run.imported?.notes.map(\.rendered) == [
                "compose.yaml:3:5: carried over: services.web.image",
                "compose.yaml:4:5: left out: services.web.networks: every service of an environment can reach every other one",
                "compose.yaml:5:5: attention: services.web.wrong: not known",
                "compose.yaml:6:5: left out: services.web.x-a",
            ])
    }
}
