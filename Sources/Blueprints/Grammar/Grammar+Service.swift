extension Grammar {
    package static let service = GrammarMap(
        "service", "One service. In an overlay, only what differs from the parent's service of the same name.",
        [
            .init(
                "name", .text(pattern: namePattern), "The same name as in the parent means the same service.",
                isRequired: true),
            .init(
                "image", .text(examples: ["postgres:16"]),
                "What runs, as a container. One of `image`, `command`, `mock`."),
            .init("command", .texts, "What runs, as a local process: the program and its first arguments."),
            .init("args", .texts, "Further arguments."),
            .init("workdir", .text(), "Where it runs; the folder of the file that says `command`, where absent."),
            .init("build", .texts, "A program that runs before it, its output goes to the service's log."),
            .init("user", .text(), "Whom it runs as; who runs the server, where absent."),
            .init("mock", .fields(mock), "Stands in for, beside, or mirrors the service."),
            .init("replicas", .whole(0...100), "How many copies run.", usual: "1"),
            .init("ports", .named(port, asText: portText), "What it listens on; the first is what `.port` means."),
            .init("expose", .boolean, "Whether it has a URL from outside.", usual: "false"),
            .init(
                "env", .map(.text()),
                "Variables. Values may say `${services.<name>.address}`, `.host`, `.port`, `.url`, `${secrets.<name>}`, `${env.id}`."
            ),
            .init("secrets", .named(secret), "Variables whose values are kept encrypted and never shown."),
            .init(
                "dependsOn", .list(.oneOf([.text(), .fields(dependency)])),
                "What must be ready before it starts; references in `env` count too."),
            .init("probes", .fields(probes), "How it is told that the service is ready, alive, started."),
            .init("volumes", .named(volume), "Folders for its data."),
            .init(
                "init", .oneOf(initialisers + [.list(.oneOf(initialisers))]),
                "Done once per data volume, when it is ready and before its dependents start."),
            .init(
                "data", .choice(["inherit", "branch", "empty"]), "In an overlay: whose data it works on.",
                usual: "\"inherit\""),
            .init(
                "activation", .choice(["auto", "eager", "onDemand"]),
                "`onDemand`: the first request for it starts it.", usual: "\"auto\""),
            .init("resources", .fields(resources), "What it needs and may have."),
            .init("claims", .texts, "What only one environment may have: `queue:orders`, `cron:billing`."),
            .init(
                "contract", .text(examples: ["openapi.yaml"]), "Its OpenAPI or proto file, held against the provider's."
            ),
            .init(
                "restart", .choice(RestartPolicy.allCases.map(\.rawValue)), "What happens when it ends.",
                usual: "\"always\""),
            .init("stopSignal", .text(examples: ["SIGINT"]), "A signal's name or number.", usual: "\"SIGTERM\""),
            .init("stopGraceSeconds", .number(0...3600), "How long it may take to stop, before SIGKILL.", usual: "10"),
            remove,
        ])

    /// `{name: x, remove: true}`.
    static let remove = GrammarField("remove", .boolean, "In an overlay: takes the parent's away.", usual: "false")

    static let port = GrammarMap(
        "port", "What a service listens on.",
        [
            .init("name", .text(pattern: namePattern), "The protocol, or `port-<number>`, where absent."),
            .init("containerPort", .whole(1...65_535), "What a container listens on; a label for a local process."),
            .init(
                "protocol", .choice(PortProtocol.allCases.map(\.rawValue)), "What is spoken there.", usual: "\"http\""),
            .init("hostPort", .whole(1...65_535), "Fixes the number that a local process is given."),
            .init("tls", .oneOf([.boolean, .fields(tls)]), "Whether the service itself speaks TLS there."),
            remove,
        ])

    /// See ``PortText``.
    static let portText = GrammarShape.text(
        pattern: "^[0-9]{1,9}(:[0-9]{1,9})?(/.*)?$", examples: ["8080", "80:8080", "5432/tcp"])

    static let tls = GrammarMap(
        "tls", "What the gateway holds a service's certificate against.",
        [
            .init("serverName", .text(), "Whom it must name.", usual: "\"localhost\""),
            .init("ca", .text(), "The authorities that may have signed it, in PEM; the system's, where absent."),
        ])

    static let secret = GrammarMap(
        "secret", "A value that is kept encrypted and never shown.",
        [
            .init(
                "name", .text(pattern: "^[A-Za-z0-9_-]{1,63}$"), "One value in the whole environment.", isRequired: true
            ),
            .init("envKey", .text(examples: ["POSTGRES_PASSWORD"]), "The variable that the service finds it in."),
            .init(
                "value", .oneOf([.text(examples: ["auto-generated"]), .fields(secretSource)]),
                "`auto-generated`, a text, or where this machine has it."),
            remove,
        ])

    static let secretSource = GrammarMap(
        "secretSource", "Where the client's machine has the value; one of the two.",
        [
            .init("fromEnv", .text(), "An environment variable."),
            .init("fromFile", .text(), "A file, beside this one."),
        ])

    static let dependency = GrammarMap(
        "dependency", "Another service, and how far it must be.",
        [
            .init("service", .text(), "Its name.", isRequired: true),
            .init(
                "condition", .choice(DependencySpec.Condition.allCases.map(\.rawValue)), "How far it must be.",
                usual: "\"healthy\""),
        ])

    static let volume = GrammarMap(
        "volume", "A folder for a service's data.",
        [
            .init("name", .text(pattern: namePattern), "Unique in the service.", isRequired: true),
            .init("mountPath", .text(), "Where it is; for `host`, a folder of the machine."),
            .init(
                "type", .choice(VolumeSpec.Kind.allCases.map(\.rawValue)),
                "`pvc` is kept, `ephemeral` is not, `host` is the machine's.", usual: "\"pvc\""),
            .init("size", .text(examples: ["10Gi"]), "A quantity; a local folder does not enforce it."),
            remove,
        ])

    static let resources = GrammarMap(
        "resources", "What a service needs and may have.",
        quantities + [
            .init("requests", .fields(GrammarMap("quantities", "CPU and memory.", quantities)), "What it needs."),
            .init("limits", .fields(GrammarMap("quantities", "CPU and memory.", quantities)), "What it may have."),
        ])

    static let quantities: [GrammarField] = [
        .init("cpu", .text(examples: ["500m", "2"]), "A quantity of Kubernetes."),
        .init("memory", .text(examples: ["512Mi", "1Gi"]), "A quantity of Kubernetes."),
    ]
}
