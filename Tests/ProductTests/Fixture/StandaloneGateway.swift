import Foundation
import TestSupport

/// `microstax gateway --control-plane` that runs, and where it answers.
struct StandaloneGateway {
    let process: ServeProcess
    let edge: Int
    let admin: Int

    init(_ product: Product, _ folder: String, follows controlPlane: Int, token: String) async throws {
        admin = Int.random(in: 12000...19000)
        let process = try ServeProcess(
            product,
            [
                "--control-plane", "http://127.0.0.1:\(controlPlane)", "--folder", "\(product.home)/\(folder)",
                "--port", "0", "--admin-port", "\(admin)", "--loops", "1",
            ], command: "gateway", environment: ["MICROSTAX_API_KEY": token])
        self.process = process
        edge = try await eventually("the gateway", lastSeen: { process.said }) {
            process.said.firstMatch(of: /serves 127.0.0.1:(\d+)/).flatMap { Int($0.1) }
        }
    }

    func ready() async throws -> Answer.Reply { try await Answer.get("http://127.0.0.1:\(admin)/ready") }

    /// One of `/metrics`.
    func metric(_ name: String) async throws -> Double? {
        let reply = try await Answer.get("http://127.0.0.1:\(admin)/metrics")
        return try PrometheusText.parse(String(decoding: reply.body, as: UTF8.self)).first { $0.name == name }?.value
    }

    func get(_ host: String, _ headers: [String: String] = [:]) async throws -> Answer.Reply {
        try await Answer.get("http://127.0.0.1:\(edge)/", headers.merging(["host": host]) { $1 })
    }

    func path(_ host: String, _ headers: [String: String] = [:]) async throws -> String? {
        let reply = try await get(host, headers)
        return reply.status == 200 ? try reply.answer.path : nil
    }

    func stop(_ signal: Int32 = SIGTERM) async throws -> Int32 {
        process.send(signal)
        return try await process.ended()
    }
}
