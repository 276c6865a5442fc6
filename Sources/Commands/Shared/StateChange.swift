import API
import APIClient
import ArgumentParser

/// What `env stop`, `env resume` and `env retry` have in common.
struct StateChangeOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Watch until it is done or has failed.")
    var wait = true

    @Flag(name: .long, help: "Print what would be done, and do nothing.")
    var dryRun = false

    @Option(
        name: .long,
        help: ArgumentHelp("Accept a risk or a conflict, by its code; may be given again.", valueName: "risk"))
    var allow: [String] = []
}

/// Asks for a change of environments' state, one after the other, and watches it.
struct StateChange {
    /// How a person speaks of it.
    struct Words {
        /// `stopped`.
        var done: String
        /// `did not stop`.
        var failing: String
    }

    let targets: [String]
    let words: Words
    let options: StateChangeOptions
    let common: CommonOptions
    /// Asks for it.
    let ask: @Sendable (String, APIClient) async throws -> ChangeView

    init(
        targets: [String], words: Words, options: StateChangeOptions, common: CommonOptions,
        ask: @escaping @Sendable (String, APIClient) async throws -> ChangeView
    ) {
        self.targets = targets
        self.words = words
        self.options = options
        self.common = common
        self.ask = ask
    }

    /// One of the changes that need nothing but their name.
    init(
        targets: [String], operation: API.Operation, words: Words, options: StateChangeOptions, common: CommonOptions
    ) {
        let request = ChangeRequest(allow: options.allow, dryRun: options.dryRun)
        self.init(targets: targets, words: words, options: options, common: common) { target, client in
            try await client.change(target, operation, request)
        }
    }

    func run() async throws {
        let client = try common.client()
        var changed: [ChangeView] = []
        for target in targets {
            let view = try await change(target, client)
            changed.append(view)
        }
        let table = { changed.map(text).joined() }
        let ids = changed.map(\.environment.id)
        if let only = changed.first, targets.count == 1 {
            try common.show(only, ids: ids, table: table)
        } else {
            try common.show(changed, ids: ids, table: table)
        }
    }

    private func change(_ target: String, _ client: APIClient) async throws -> ChangeView {
        let waiting = options.wait && !options.dryRun ? Waiting(client: client, common: common) : nil
        var view = try await ask(target, client)
        for warning in view.warnings ?? [] { common.note(warning.written) }
        guard let waiting, let execution = view.execution else { return view }
        let (id, name) = (view.environment.id, view.environment.name)
        if execution.state == "compensating" {
            let last = try await waiting.untilGone(id, named: name, .undoing(execution.id))
            view.environment = last?.environment ?? view.environment
            if last == nil { view.environment.state = "deleted" }
            view.execution = last?.execution ?? view.execution
            return view
        }
        let done = try await waiting.untilReached(
            .execution(execution.id), id, named: name, doing: words.failing)
        view.environment = done.environment
        view.execution = done.execution ?? view.execution
        return view
    }

    private func text(_ view: ChangeView) -> String {
        let name = view.environment.name
        if options.dryRun {
            let difference = view.difference.map { "\n" + DifferenceText(Terminal.palette(.output)).spec($0) } ?? ""
            return view.plan.isEmpty && view.isChanged != true
                ? "\(name) is \(view.environment.state) already; nothing is to change\n"
                : "\(name) would be \(words.done); nothing was done\n" + difference + PlanTables.steps(view.plan)
        }
        if view.execution == nil {
            return view.isChanged == true
                ? "\(name) is \(words.done); it is \(view.environment.state), and will be so when it runs\n"
                : "\(name) is \(view.environment.state) already; nothing is to change\n"
        }
        if options.wait, view.environment.state == "deleted" { return "\(name) is undone; nothing of it is left\n" }
        if options.wait { return "\(name) is \(view.environment.state)\n" }
        return "\(name) is being \(words.done)\nwatch it with: microstax env status \(name)\n"
    }
}
