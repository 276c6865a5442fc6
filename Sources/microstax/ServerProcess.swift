import API
import APIClient
import ControlPlane
import Foundation
import Gateway
import HTTPTransport
import ProcessRuntime
import Storage

/// The server of a state folder as a process: put into the background, or ended.
struct ServerProcess: Sendable {
    let folder: String

    /// This program, by a path that stays valid in every folder.
    static let executable: String = {
        // The link is always readable for the process itself.
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }()

    /// Starts `serve` in the background and returns when it answers; does nothing where one answers.
    ///
    /// - Throws: ``StoreError`` with the last line that the server wrote.
    func detach(arguments: [String]) async throws {
        let state = StateFolder(path: folder)
        if state.answers { return }
        let places = try ServerFolder(path: folder)
        let logStart = size(of: places.log)
        let process: DetachedProcess
        do {
            process = try DetachedProcess.start(
                Self.executable, ["microstax", "serve", "--log-file", places.log] + arguments,
                environment: ProcessInfo.processInfo.environment, log: places.log)
        } catch {
            throw StoreError(.unwritable, error.message)
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if state.answers { return }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        if state.answers { return }
        throw StoreError(
            .ioError, "the server did not start: \(said(places.log, from: logStart))", hint: "see \(places.log)")
    }

    /// Ends server and gateway and returns when both are gone; services go on.
    func stop() async throws {
        let places = ServerFolder(existing: folder)
        if let announced = StateFolder(path: folder).announcement, let start = announced.startTime {
            let server = DetachedProcess(pid: announced.pid, startTime: start)
            server.terminate()
            await ended(server)
        }
        // Whoever holds the addresses, recorded or not.
        let control = GatewayControl(folder: places.gateway)
        // None answers: the recorded one may hang.
        if let status = try? await control.status(), let gateway = DetachedProcess(running: status.pid) {
            try await control.shutdown()
            await ended(gateway)
        } else if let bytes = FileManager.default.contents(atPath: places.gatewayProcess) {
            let gateway = try JSONDecoder().decode(DetachedProcess.self, from: bytes)
            gateway.terminate()
            await ended(gateway)
        }
    }

    /// SIGKILL after 10 s.
    private func ended(_ process: DetachedProcess) async {
        let deadline = ContinuousClock.now + .seconds(10)
        while process.isRunning {
            if ContinuousClock.now > deadline { process.terminate(SIGKILL) }
            // Cancelled: stop waiting, it ends by itself.
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
    }

    private func size(of path: String) -> Int {
        FileManager.default.contents(atPath: path)?.count ?? 0
    }

    private func said(_ path: String, from start: Int) -> String {
        let content = FileManager.default.contents(atPath: path) ?? Data()
        // A log that was full has been put aside, and a new one begun.
        let bytes = content.count < start ? content : content.dropFirst(start)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.isEmpty ? "it said nothing" : lines.suffix(5).joined(separator: "\n")
    }
}
