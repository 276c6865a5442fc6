import API
import APIClient
import ArgumentParser
import Blueprints

struct EnvPlan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Say which services start with an environment, which when they are needed, and why.",
        discussion: """
            Of an environment, or of a Blueprint that is not created yet (--file). A service is `local` (an overlay's own), \
            `inherited` (somebody above answers), `eager` (starts with its environment) or `cold` (starts on its first \
            request). What the gateway has seen of calls in the last 14 days stands behind the reason. --review compares \
            what was predicted with what was called since.

            EXAMPLES
              microstax env plan shop
              microstax env plan --file shop.yaml --focus payments
              microstax env plan --file overlay.yaml --baseline shop --steps
              microstax env plan shop --review
            """)

    @Argument(help: ArgumentHelp("Name or id.", valueName: "env"))
    var environment: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("A Blueprint to plan for, without creating anything; - reads stdin.", valueName: "file"))
    var file: String?

    @Option(name: .long, help: ArgumentHelp("With --file: the parent of an overlay.", valueName: "name"))
    var baseline: String?

    @OptionGroup var focus: FocusOption

    @Flag(name: .long, help: "Show the steps, too.")
    var steps = false

    @Flag(name: .long, help: "Compare what was predicted with what was called.")
    var review = false

    @OptionGroup var common: CommonOptions

    mutating func validate() throws {
        if (environment == nil) == (file == nil) {
            throw ValidationError("name an environment, or a Blueprint with --file")
        }
        if file == nil, baseline != nil || !focus.focus.isEmpty {
            throw ValidationError("--focus and --baseline are for a Blueprint (--file); an environment has its own")
        }
        if file != nil, review {
            throw ValidationError("nothing was called yet of a Blueprint: --review is for an environment")
        }
    }

    func run() async throws {
        let client = try common.client()
        let plan =
            if let environment {
                try await client.plan(of: environment, review: review)
            } else {
                try await dry(client)
            }
        let tables = PredictionTables(palette: Terminal.palette(.output))
        try common.show(plan, ids: plan.services.filter { $0.verdict != "cold" }.map(\.service)) {
            review ? tables.review(plan) : tables.plan(plan, isDry: file != nil, withSteps: steps)
        }
    }

    /// What a create would do.
    private func dry(_ client: APIClient) async throws -> PlanView {
        let isOverlay = baseline != nil
        var input = try BlueprintInput(path: file ?? "-", .environment(isOverlay ? .overlay : nil))
        try await input.fetchLayers(common)
        try input.requireValid("; nothing was sent")
        let parent = baseline ?? input.baseline
        var request = input.request(mode: isOverlay ? "overlay" : nil, parent: parent)
        request.focus = focus.services
        request.dryRun = true
        // It does not exist, so nothing of its parent's health matters to what would start.
        request.allow = ["unhealthy-parent"]
        let accepted =
            if let parent {
                try await client.createOverlay(request, on: parent)
            } else {
                try await client.createEnvironment(request)
            }
        return PlanView(
            environment: accepted.environment.name, mode: accepted.environment.mode,
            fingerprint: accepted.planFingerprint ?? "", focus: request.focus, services: accepted.services ?? [],
            steps: accepted.plan)
    }
}
