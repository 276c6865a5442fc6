extension Grammar {
    static let probes = GrammarMap(
        "probes", "How it is told that a service is ready, alive, started.",
        [
            .init("readiness", .fields(probe), "Requests reach it when this passes; the first port, where absent."),
            .init("liveness", .fields(probe), "It is started anew when this fails."),
            .init("startup", .fields(probe), "The other probes wait for this one."),
        ])

    static let probe = GrammarMap(
        "probe", "One of `http`, `tcp`, `exec` and `log`.",
        [
            .init("http", .fields(httpProbe), "Passes on status 200 to 399."),
            .init("tcp", .fields(tcpProbe), "Passes when a connection is accepted."),
            .init("exec", .fields(execProbe), "Passes when the command ends with 0."),
            .init("log", .fields(logProbe), "Passes when a line of the output matches."),
            .init("periodSeconds", .number(0.05...3600), "How often it is tried.", usual: "1"),
            .init("timeoutSeconds", .number(0.05...3600), "How long one try may take.", usual: "2"),
            .init("failureThreshold", .whole(1...100_000), "How many failures in a row count.", usual: "60"),
        ])

    static let httpProbe = GrammarMap(
        "httpProbe", "A request that is answered with a status from 200 to 399.",
        [
            .init("path", .text(pattern: "^/"), "Of the request.", usual: "\"/\""),
            .init("port", .text(), "A port's name or number; the first, where absent."),
        ])

    static let tcpProbe = GrammarMap(
        "tcpProbe", "A connection that is accepted.",
        [.init("port", .text(), "A port's name or number; the first, where absent.")])

    static let execProbe = GrammarMap(
        "execProbe", "A command that ends with 0.",
        [.init("command", .texts, "Runs in the service's folder and environment.", isRequired: false)])

    static let logProbe = GrammarMap(
        "logProbe", "A line of the output.",
        [.init("pattern", .text(), "A regular expression of up to 1000 bytes.", isRequired: false)])

    static let initialisers: [GrammarShape] = [.fields(sqlInit), .fields(commandInit), .fields(httpInit)]

    static let sqlInit = GrammarMap(
        "sqlInit", "Statements from a file, with the record that they ran in one transaction.",
        [
            .init("type", .choice(["sql"]), "Statements from a file.", isRequired: true),
            .init("script", .text(examples: ["schema.sql"]), "A path beside this file."),
            .init("engine", .choice(SQLInitSpec.Engine.allCases.map(\.rawValue)), "What reads them."),
            .init("user", .text(), "What the service's own environment says, where absent."),
            .init("password", .text(), "May be `${secrets.<name>}`."),
            .init("database", .text(), "What the service's own environment says, where absent."),
        ])

    static let commandInit = GrammarMap(
        "commandInit", "A program.",
        [
            .init("type", .choice(["command"]), "A program.", isRequired: true),
            .init("command", .texts, "Runs in the service's folder and environment."),
        ])

    static let httpInit = GrammarMap(
        "httpInit", "A request to the service.",
        [
            .init("type", .choice(["http"]), "A request to the service.", isRequired: true),
            .init("request", .fields(request), "What is sent."),
        ])

    static let request = GrammarMap(
        "request", "A request to the service.",
        [
            .init("method", .choice(["GET", "POST", "PUT", "PATCH", "DELETE"]), "Of the request.", usual: "\"POST\""),
            .init("path", .text(pattern: "^/"), "Of the request."),
            .init("port", .text(), "A port's name or number; the first, where absent."),
            .init("headers", .map(.text()), "By name."),
            .init("body", .text(), "What is sent."),
        ])

    static let mock = GrammarMap(
        "mock", "Stands in for a service.",
        [
            .init("enabled", .boolean, "Whether it does.", usual: "true"),
            .init("mode", .choice(["static", "stateful", "ai-stateful", "recorded"]), "How it makes its answers."),
            .init("openapi", .text(), "The description that it follows."),
            .init("deployment", .fields(mockDeployment), "How it stands to the service."),
        ])

    static let mockDeployment = GrammarMap(
        "mockDeployment", "How a mock stands to its service.",
        [
            .init(
                "mode", .choice(["replace", "sidecar", "mirror"]),
                "Instead of it, beside it, or on a copy of its requests.")
        ])
}
