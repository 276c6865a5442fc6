import Files
import Glibc
import HTTPTransport
import Runtimes

/// The supervisor's control socket: small JSON requests of this user or root, each one operation of ``Supervisor``.
struct SupervisorControl: Sendable {
    let supervisor: Supervisor

    struct RunRequest: Sendable, Codable {
        var service: String
        var command: RuntimeCommand
    }

    struct Done: Sendable, Codable {}

    func handle(_ request: HTTPRequest, _ peer: HTTPPeer) async -> HTTPResponse {
        guard let uid = peer.uid, uid == geteuid() || uid == 0 else {
            return ControlCoding.response(RuntimeError(.unavailable, "not your supervisor"), status: 403)
        }
        do {
            return try await supervisor.counted { try await answer(request) }
        } catch is SupervisorEnding {
            return ControlCoding.response(RuntimeError(.unavailable, "the supervisor is ending"), status: 503)
        } catch let error as RuntimeError {
            return ControlCoding.response(error, status: 422)
        } catch {
            return ControlCoding.response(RuntimeError(.unavailable, "\(error)"), status: 500)
        }
    }

    private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        switch (request.method, request.path) {
        case ("GET", "/statuses"):
            return ControlCoding.response(await supervisor.statuses())
        case ("GET", "/metrics"):
            return ControlCoding.response(await supervisor.metrics(withRates: request.query["rates"] != "false"))
        case ("GET", "/irregularities"):
            return ControlCoding.response(try await supervisor.irregularities())
        case ("POST", "/rewrite"):
            try await supervisor.rewrite()
            return ControlCoding.response(Done())
        case ("GET", "/changes"):
            return HTTPResponse(status: 200, body: .stream(await supervisor.watch()))
        case ("POST", "/apply"):
            CrashPoint.pass("before a workload is applied")
            try await supervisor.apply(ControlCoding.decode(Workload.self, request.body))
            CrashPoint.pass("after a workload was applied")
            return ControlCoding.response(Done())
        case ("POST", "/stop"):
            CrashPoint.pass("before a service is stopped")
            try await supervisor.stop(ControlCoding.decode(String.self, request.body))
            CrashPoint.pass("after a service was stopped")
            return ControlCoding.response(Done())
        case ("POST", "/run"):
            let run = try ControlCoding.decode(RunRequest.self, request.body)
            return ControlCoding.response(try await supervisor.run(run.command, in: run.service))
        case ("GET", "/exec"):
            return ExecControl(supervisor: supervisor, service: request.query["service"] ?? "").response
        case ("POST", "/end"):
            CrashPoint.pass("before everything is stopped")
            await supervisor.stopAll()
            CrashPoint.pass("after everything was stopped")
            let left = await supervisor.leftOver()
            guard left.isEmpty else {
                throw RuntimeError(.leftOver, "could not kill \(left.joined(separator: ", "))")
            }
            await supervisor.end()
            return ControlCoding.response(Done())
        default:
            return ControlCoding.response(RuntimeError(.notFound, "no such operation"), status: 404)
        }
    }
}
