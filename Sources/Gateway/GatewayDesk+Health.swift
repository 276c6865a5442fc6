import Foundation
import HTTPTransport

/// What an orchestrator asks of a gateway, on the control socket and on the admin port.
extension GatewayDesk {
    private struct Readiness: Encodable {
        let ready: Bool
        let tableVersion: UInt64
        let reason: String?
    }

    /// `nil` for a request that is none of these.
    func health(_ request: HTTPRequest) async -> HTTPResponse? {
        switch (request.method, request.path) {
        case ("GET", "/health"): return json(200, ["status": "alive"])
        case ("GET", "/ready"):
            let reason = await missing()
            return json(
                reason == nil ? 200 : 503,
                Readiness(ready: reason == nil, tableVersion: await plane.version, reason: reason))
        case ("GET", "/metrics"):
            return HTTPResponse(
                status: 200, fields: HTTPFields([("content-type", "text/plain; version=0.0.4; charset=utf-8")]),
                body: .bytes(Array(await metrics().utf8)))
        default: return nil
        }
    }

    /// Nothing else is answered where everybody on the machine may ask.
    func adminAnswer(_ request: HTTPRequest) async -> HTTPResponse {
        await health(request) ?? json(404, ["error": "there are GET /ready, /health and /metrics"])
    }

    /// Why it cannot route; `nil` where it can, by whatever table it has.
    private func missing() async -> String? {
        guard await plane.version == 0 else { return nil }
        guard let following else { return "there is no routing table yet" }
        return "there is no routing table yet, neither on disk nor from \(following.controlPlane): "
            + (following.problem ?? (following.heardAt == nil ? "it was not heard yet" : "it has none yet"))
    }

    private func metrics() async -> String {
        let (version, environments, listeners) = (
            await plane.version, await plane.environmentCount, await plane.listenerCount
        )
        var gauges: [(name: String, help: String, value: UInt64)] = [
            ("microstax_gateway_ready", "It has a table to route by.", version > 0 ? 1 : 0),
            ("microstax_gateway_table_version", "Of the table that is routed by.", version),
            ("microstax_gateway_environments", "In the table.", UInt64(environments)),
            ("microstax_gateway_listeners", "That are bound.", UInt64(listeners)),
            (
                "microstax_gateway_traces_forgotten", "Trace ids that had to go before ten minutes were over.",
                plane.traces.forgotten
            ),
        ]
        if let following {
            let isUp = following.heardAt != nil && following.problem == nil
            gauges.append(("microstax_gateway_control_plane_up", "It answered the last time.", isUp ? 1 : 0))
            let isShared = await status().following?.tracesProblem == nil
            gauges.append(
                (
                    "microstax_gateway_traces_shared",
                    "What the server's own gateway has seen of traces is known here.",
                    isShared ? 1 : 0
                ))
        }
        return gauges.map { "# HELP \($0.name) \($0.help)\n# TYPE \($0.name) gauge\n\($0.name) \($0.value)\n" }
            .joined()
    }

    private func json(_ status: Int, _ value: some Encodable) -> HTTPResponse {
        // Texts, numbers and truths always encode.
        let body = (try? JSONEncoder().encode(value)) ?? Data()
        return HTTPResponse(
            status: status, fields: HTTPFields([("content-type", "application/json")]), body: .bytes(Array(body)))
    }
}
