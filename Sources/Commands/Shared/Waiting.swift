import API
import APIClient

/// Watching on behalf of a command: shows progress, and turns how it ended into a result or a failure that says what to
/// type next.
struct Waiting {
    /// Longest chain of overlays that is followed to the baseline's address.
    private static let maxAncestors = 16

    /// How the watching ended well.
    struct Result {
        var environment: EnvironmentView
        var execution: ExecutionView?
        var elapsed: Int64

        var id: String { environment.id }
    }

    let client: APIClient
    let common: CommonOptions
    /// Made before the request is sent that is waited for, so that Ctrl-C is heard from then on.
    private let interrupts = Interrupts()

    init(client: APIClient, common: CommonOptions) {
        self.client = client
        self.common = common
    }

    /// - Parameters:
    ///   - environment: id or name.
    ///   - name: what a person knows it by, where `environment` is an id.
    func untilReached(
        _ goal: WatchGoal, _ environment: String, named name: String? = nil, doing: String
    ) async throws -> Result {
        guard let result = try await follow(goal, environment, name, failing: "did not \(doing)") else {
            throw CommandFailure(.failed, "\((name ?? environment).visible) was deleted meanwhile")
        }
        return result
    }

    /// `nil` where it was gone before anything was seen of it.
    func untilGone(_ environment: String, named name: String? = nil, _ goal: WatchGoal) async throws -> Result? {
        try await follow(goal, environment, name, failing: "could not be deleted")
    }

    private func follow(
        _ goal: WatchGoal, _ environment: String, _ name: String?, failing: String
    ) async throws -> Result? {
        defer { withExtendedLifetime(interrupts) {} }
        var display = ProgressDisplay(common)
        let watch = Watch(
            client: client, environment: environment, goal: goal, limit: common.timeout?.duration,
            revive: try common.reviver())
        switch try await watch.run(&display) {
        case .reached(let event):
            return event.map { Result(environment: $0.environment, execution: $0.execution, elapsed: display.elapsed) }
        case .failed(let event):
            throw WaitFailure.failed(event, failing, finding: await firstFinding(event.environment.id))
        case .timedOut(let event): throw WaitFailure.timedOut(event, name ?? environment, display.elapsed, goal)
        case .interrupted(let event): throw WaitFailure.interrupted(event, name ?? environment, goal)
        }
    }

    /// What a diagnosis says first; nothing where it takes longer than a person who waits for an error would like.
    private func firstFinding(_ id: String) async -> FindingView? {
        var quick = client
        quick.timeout = .seconds(5)
        // The failure is told in any case; the diagnosis only adds to it.
        let diagnosis = try? await quick.diagnosis(of: id)
        return diagnosis?.findings.first { $0.severity == "error" }
    }

    /// Where it answers, for a person; nothing in the other formats.
    func summarise(_ result: Result) async throws {
        guard common.output == .table, !common.quiet else { return }
        let environment = result.environment
        var text = "\(environment.name) is \(environment.state) (\(Timestamp.elapsed(result.elapsed)))\n"
        text += EnvironmentTables.endpoints(environment)
        if environment.mode == "overlay", let url = try await baselineURL(of: environment),
            url.hasPrefix("http")
        {
            text += "\nA request in its context:\n"
            text += "  curl -H 'x-msx-env: \(environment.overlayId ?? environment.name)' \(url)\n"
        }
        Terminal.write(text)
    }

    /// The address of the baseline that the overlay stands on, possibly over other overlays.
    private func baselineURL(of overlay: EnvironmentView) async throws -> String? {
        var current = overlay
        for _ in 0..<Self.maxAncestors {
            guard let parent = current.parent else { break }
            current = try await client.environment(parent.id)
        }
        return current.endpoints.first?.url
    }
}
