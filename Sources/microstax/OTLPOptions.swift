import ArgumentParser
import Foundation
import Gateway

/// Where the gateway sends its spans besides keeping them: for `serve`, which tells its gateway, and for `gateway`.
struct OTLPOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also send every hop to this collector as OTLP/HTTP in JSON (default: MICROSTAX_OTLP_ENDPOINT, else OTEL_EXPORTER_OTLP_ENDPOINT).",
            valueName: "url"))
    var otlpEndpoint: String?

    func target() throws -> OTLPTarget? {
        do {
            return try OTLPTarget.make(option: otlpEndpoint, environment: ProcessInfo.processInfo.environment)
        } catch let problem as OTLPTarget.Problem {
            throw ValidationError(problem.description)
        }
    }

    /// As they are passed on.
    var arguments: [String] { otlpEndpoint.map { ["--otlp-endpoint", $0] } ?? [] }
}
