import API
import APIClient
import Blueprints

/// Creating an environment of any mode: check here, ask the server, watch.
struct Creation {
    enum Kind: Sendable, Hashable {
        case environment
        case baseline
        /// `nil`: the Blueprint names the parent.
        case overlay(parent: String?)
    }

    let kind: Kind
    let options: CreateOptions
    let common: CommonOptions
    /// What will be tried; empty for everything.
    var focus: [String] = []
    /// See `CreateRequest.carry`.
    var carries = false

    func run() async throws {
        var input = try BlueprintInput(path: options.file, .environment(mode))
        try await input.fetchLayers(common)
        let request = try checkedRequest(input)
        let client = try common.client()
        let waiting = options.wait && !options.dryRun ? Waiting(client: client, common: common) : nil
        var accepted = try await send(request, input, client)
        let known = Set(input.diagnostics.map(\.message))
        for warning in accepted.warnings where !known.contains(warning.message) { common.note(warning.written) }
        if options.dryRun {
            try common.show(accepted, ids: []) { PlanTables.creation(accepted, Terminal.palette(.output)) }
            return
        }
        let name = accepted.environment.name
        guard let waiting, let execution = accepted.execution else {
            try common.show(accepted, ids: [accepted.environment.id]) {
                let id = accepted.execution.map { ", execution \($0.id)" } ?? ""
                return "\(name) is being created (\(accepted.environment.id)\(id))\n"
                    + "watch it with: microstax env wait \(name)\n"
            }
            return
        }
        // By id, so that another environment that takes the name meanwhile is never mistaken for this one.
        let done = try await waiting.untilReached(
            .execution(execution.id), accepted.environment.id, named: name, doing: "come up")
        accepted.environment = done.environment
        accepted.execution = done.execution ?? accepted.execution
        try common.show(accepted, ids: [done.environment.id]) { "" }
        try await waiting.summarise(done)
    }

    /// The mode that the command asks for; `nil` to go by the Blueprint.
    private var mode: EnvironmentMode? {
        switch kind {
        case .environment: nil
        case .baseline: .baseline
        case .overlay: .overlay
        }
    }

    private func checkedRequest(_ input: BlueprintInput) throws -> CreateRequest {
        try input.requireValid("; nothing was sent")
        for warning in input.diagnostics { common.note(warning.rendered) }
        var request = input.request(mode: mode?.rawValue, parent: nil)
        request.profile = options.profile
        request.allow = options.allow
        request.focus = focus
        request.dryRun = options.dryRun
        return request
    }

    private func send(
        _ request: CreateRequest, _ input: BlueprintInput, _ client: APIClient
    ) async throws -> AcceptedView {
        switch kind {
        case .environment: return try await client.createEnvironment(request)
        case .baseline: return try await client.createBaseline(request)
        case .overlay(let parent):
            guard let parent = parent ?? input.baseline else {
                throw CommandFailure(
                    .usage, "an overlay of what? \(input.name) has no routing.baselineId",
                    hint: "name it: `microstax overlay create --baseline <name> --file \(options.file)`")
            }
            var request = request
            request.parent = parent
            request.carry = carries
            return try await client.createOverlay(request, on: parent)
        }
    }
}
