import API
import APIClient

/// What the server says of itself, asked without starting one.
package enum ServerChecks {
    package static func run(_ client: APIClient, isLocal: Bool) async -> [DoctorCheck] {
        do {
            return judge(try await client.health(), isLocal: isLocal) + [try await readiness(client)]
        } catch let failure as ConnectionFailure where failure.kind == .notRunning && isLocal {
            return [DoctorCheck("server", .ok, "does not run; it starts when a command needs it")]
        } catch {
            let place = client.address.written
            let said = (error as? APIFailure)?.error.message ?? (error as? ConnectionFailure)?.message ?? "\(error)"
            return [
                DoctorCheck(
                    "server", .missing, "\(place): \(said)",
                    mend: isLocal ? "microstax serve --detach" : "check MICROSTAX_API_URL and MICROSTAX_API_KEY",
                    required: true)
            ]
        }
    }

    /// Whether it can take work; the reply of one that cannot names each part that keeps it from that.
    private static func readiness(_ client: APIClient) async throws -> DoctorCheck {
        do {
            let view = try await client.ready()
            return DoctorCheck("ready", .ok, view.parts.map(\.name).joined(separator: ", "), required: true)
        } catch let failure as APIFailure where failure.code == .unavailable {
            let reasons = (failure.error.details ?? []).map { "\($0.code ?? "") \($0.message)" }
            return DoctorCheck(
                "ready", .warning, reasons.isEmpty ? failure.error.message : reasons.joined(separator: "; "),
                mend: "see the server's log", required: true)
        }
    }

    package static func judge(_ health: HealthView, isLocal: Bool) -> [DoctorCheck] {
        let isSame = health.version == productVersion
        let isGatewayUp = health.gateway == "running"
        let port = health.edgePort.map { "127.0.0.1:\($0)" }
        return [
            DoctorCheck(
                "server", isSame ? .ok : .warning,
                "version \(health.version), process \(health.pid)"
                    + (isSame ? "" : "; this client is \(productVersion)"),
                mend: isLocal ? "microstax serve --stop   # services go on; the next command starts this version" : nil,
                required: true),
            DoctorCheck(
                "gateway", isGatewayUp ? .ok : .missing, health.gateway,
                mend: isLocal
                    ? "microstax serve --stop   # services go on; the next command starts server and gateway" : nil,
                required: true),
            DoctorCheck("edge port", port == nil ? .warning : .ok, port ?? "none; host names do not answer"),
        ]
    }
}
