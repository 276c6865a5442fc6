import Blueprints
import EnvironmentGraph
import Foundation
import Glibc
import Runtimes
import Testing
import TestSupport

@testable import ProcessRuntime

/// Ports and network probes, with real sockets.
struct ProbeTests {
    /// Free a moment ago; tests that run beside this one use ports of their own.
    static func freePort() throws -> Int {
        let listener = try Listener(port: 0)
        defer { listener.close() }
        return listener.port
    }

    private func httpService(_ stage: Stage, port: Int) -> Workload {
        var workload = stage.shell("")
        workload.command = [Stage.fixture, "serve-http"]
        workload.ports = [Workload.Port(name: "web-ui", transport: .http, number: port)]
        workload.env = ["STATUS_FILE": stage.root + "/status"]
        return workload
    }

    @Test(.timeLimit(.minutes(1))) func aServiceListensOnItsPortAndBecomesReadySoon() async throws {
        try await Stage.with { stage in
            let port = try Self.freePort()
            try await stage.runtime.apply(httpService(stage, port: port))
            let status = try await stage.reaches(.ready)
            let pid = try #require(status.pid)
            #expect(ProcessTable.variable("PORT", of: pid) == String(port))
            #expect(ProcessTable.variable("PORT_WEB_UI", of: pid) == String(port))
            #expect(ProcessTable.variable("MSX_ENV_ID", of: pid) == stage.environment.rawValue)
            #expect(ProcessTable.variable("MSX_SERVICE", of: pid) == "main")
        }
    }

    @Test(.timeLimit(.minutes(1))) func readinessComesAndGoes() async throws {
        try await Stage.with { stage in
            var workload = httpService(stage, port: try Self.freePort())
            workload.probes.readiness = ProbeSpec(.http(path: "/health", port: nil), periodSeconds: 0.03)
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            try Data("503".utf8).write(to: URL(fileURLWithPath: stage.root + "/status"))
            let status = try await stage.reaches(.unhealthy)
            #expect(status.message?.contains("answered 503: the body") == true, "\(status.message ?? "")")
            try Data("204".utf8).write(to: URL(fileURLWithPath: stage.root + "/status"))
            try await stage.reaches(.ready)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aProbeThatNeverPassesTellsItsLastAnswer() async throws {
        try await Stage.with { stage in
            let port = try Self.freePort()
            var http = httpService(stage, port: port)
            http.service = "http"
            http.probes.readiness = ProbeSpec(
                .http(path: "/health", port: "web-ui"), periodSeconds: 0.1, failureThreshold: 10)
            try SmallFile.createFolder(stage.root, mode: 0o755)
            try Data("500".utf8).write(to: URL(fileURLWithPath: stage.root + "/status"))
            var tcp = stage.shell("exec sleep 600", service: "tcp")
            tcp.ports = [Workload.Port(name: "tcp", transport: .tcp, number: try Self.freePort())]
            tcp.probes.readiness = ProbeSpec(.tcp(port: nil), periodSeconds: 0.1, failureThreshold: 3)
            var log = stage.shell("echo almost; exec sleep 600", service: "log")
            log.probes.startup = ProbeSpec(.log(pattern: "^ready$"), periodSeconds: 0.1, failureThreshold: 3)
            for workload in [http, tcp, log] { try await stage.runtime.apply(workload) }
            for (service, text) in [
                ("http", "readiness: GET /health on port \(port) answered 500: the body"),
                ("tcp", "connection refused"), ("log", "startup: no line matched /^ready$/"),
            ] {
                let status = try await stage.reaches(.failed, service: service)
                #expect(status.message?.contains(text) == true, "\(status.message ?? "")")
                #expect(status.pid == nil)
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aPortInUseIsNamedWithItsOwner() async throws {
        try await Stage.with { stage in
            let listener = try Listener(port: 0)
            defer { listener.close() }
            var workload = stage.shell("exec sleep 600")
            workload.ports = [Workload.Port(name: "http", transport: .http, number: listener.port)]
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            let text = "port \(listener.port) is in use by pid \(getpid())"
            #expect(status.message?.hasPrefix(text) == true, "\(status.message ?? "")")
        }
    }

    @Test func aPeerThatSaysNothingEndsTheProbeInTime() async throws {
        let listener = try Listener(port: 0)
        defer { listener.close() }
        let outcome = await SocketProbe.http("/", port: listener.port, timeout: 0.1)
        #expect(
            outcome == .failed("GET / on port \(listener.port) gave no answer within the probe's timeout"))
        #expect(await SocketProbe.tcp(listener.port, timeout: 1) == .passed)
    }
}

/// A listening socket that nobody serves.
struct Listener {
    let descriptor: Int32
    let port: Int

    init(port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = LoopbackAddress.of(port)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(result)
        self.descriptor = descriptor
        self.port = Int(in_port_t(bigEndian: address.sin_port))
    }

    func close() { Glibc.close(descriptor) }
}
