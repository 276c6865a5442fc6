/// The one description of what may be written in a Blueprint: the checkers take their keys and choices from it, the JSON
/// Schema is made from it, and the formatter writes keys in its order.
///
/// What it cannot say (names that must exist, fields that exclude each other, one program for each service) the checkers
/// say; so a file that the schema accepts can still be wrong, but what it refuses is wrong.
package enum Grammar {
    package static let root = GrammarMap(
        "blueprint", "A stack of services: what runs, how the parts find each other, and what they start with.",
        [
            .init(
                "name", .text(pattern: namePattern, examples: ["shop"]),
                "Unique in the organisation: up to 63 of a-z, 0-9 and `-`, without `--`.", isRequired: true),
            .init("description", .text(), "For people."),
            .init(
                "extends", .texts, "Layers below this one, lowest first: a layer's name, or a path beside this file."),
            .init("labels", .map(.text()), "`team`, `costCenter`, … for lists, policies and cost."),
            .init("routing", .fields(routing), "Which environment this makes, and how requests find it."),
            .init(
                "runtime", .choice(["auto", "process", "container", "kubernetes"]),
                "What runs the services; `auto`: those with a `command` are local processes.", usual: "\"auto\""),
            .init(
                "repair", .choice(["auto", "report"]), "Whether deviations are mended, or only reported.",
                usual: "\"auto\""),
            .init("autoShutdownEnabled", .boolean, "Whether it is stopped when nobody uses it.", usual: "true"),
            .init(
                "autoShutdownDelayMinutes", .number(LifecycleChecker.idleMinutes),
                "How long nobody may have used it before it is stopped.", usual: "30"),
            .init("schedule", .fields(schedule), "When it is stopped and started by itself."),
            .init(
                "ttl", .oneOf([.text(examples: ["24h", "7d"]), .fields(ttl)]), "After how long it is deleted."),
            .init("residency", .fields(residency), "Where it may run and its data may rest."),
            .init("snapshot", .anyMap, "What is restored at creation, and when copies are taken."),
            .init("seeds", .texts, "Data that is put in after `init`, in this order."),
            .init("uses", .list(.fields(use)), "Services of other environments that this one calls."),
            .init("plans", .map(.fields(plan)), "Named profiles, chosen with `--profile`."),
            .init("services", .named(service, asMap: true), "What runs: a list, or a map by name."),
        ])

    static let routing = GrammarMap(
        "routing", "Which environment a Blueprint makes, and how requests find it.",
        [
            .init(
                "mode", .choice(EnvironmentMode.allCases.map(\.rawValue)),
                "Filled in by the command that creates the environment.", usual: "\"isolated\""),
            .init("baselineId", .text(), "Id or name of the parent."),
            .init(
                "overlayId", .text(pattern: namePattern), "What requests of this overlay carry; the name, where absent."
            ),
            .init("headerName", .text(), "The header that they carry it in.", usual: "\"x-msx-env\""),
            .init("propagateHeader", .boolean, "Whether the header is handed on.", usual: "true"),
            .init(
                "onUnknownContext", .choice(UnknownContextPolicy.allCases.map(\.rawValue)),
                "What happens to a request that names an overlay that is not there.", usual: "\"reject\""),
            .init(
                "onLeak", .choice(LeakPolicy.allCases.map(\.rawValue)),
                "What happens to a call whose service has dropped the context.", usual: "\"report\""),
            .init(
                "attribution", .choice(LeakAttribution.allCases.map(\.rawValue)),
                "Whether a call that says nothing belongs to the only request that its service answers.",
                usual: "\"off\""),
            .init(
                "carry", .choice(["off", "auto"]), "Whether callers that forward no context are copied.",
                usual: "\"off\""),
        ])

    static let schedule = GrammarMap(
        "schedule", "When an environment sleeps and wakes by itself; at least one of the two.",
        [
            .init("sleep", .text(examples: ["0 20 * * mon-fri"]), "Minute, hour, day, month, weekday."),
            .init("wake", .text(examples: ["30 7 * * mon-fri"]), "Minute, hour, day, month, weekday."),
            .init("timezone", .text(examples: ["Europe/Berlin"]), "A name of the IANA database.", usual: "\"UTC\""),
        ])

    static let ttl = GrammarMap(
        "ttl", "After how long an environment is deleted.",
        [
            .init("duration", .text(examples: ["24h", "7d", "P7D"]), "From a second to ten years.", isRequired: true),
            .init(
                "from", .choice(TTLSpec.Start.allCases.map(\.rawValue)), "What it counts from.", usual: "\"createdAt\""),
        ])

    static let residency = GrammarMap(
        "residency", "Where an environment may run and its data may rest.",
        [
            .init("allow", .texts, "Only in these regions."), .init("deny", .texts, "Not in these regions."),
        ])

    static let use = GrammarMap(
        "use", "A service of another environment.",
        [
            .init("service", .text(), "The name that services here call.", isRequired: true),
            .init("from", .text(), "The environment that has it.", isRequired: true),
        ])

    static let plan = GrammarMap(
        "plan", "A profile: what differs from the Blueprint.",
        [.init("services", .map(.fields(planService)), "By name.")])

    static let planService = GrammarMap(
        "planService", "What a profile changes of a service.",
        [
            .init("replicas", .whole(0...100), "How many copies run."),
            .init("resources", .fields(resources), "What it needs and may have."),
            .init("env", .map(.text()), "Variables."),
        ])

    /// See ``NameRule``.
    static let namePattern = "^(?!.*--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
}
