import API
import Foundation
import TestSupport
import Testing

/// Faults that are really there, and whether they are named. In ``Ward`` a service has the name of the fault that it will
/// have.
@Suite struct DiagnosisTests {
    @Test func everyFaultOfARunningEnvironmentIsNamed() async throws {
        try await Product.with { product in
            let ward = try Ward(product)
            try await product.mustRun("env", "create", "--file", ward.blueprint, "--wait")
            // All is well, whatever the services write.
            let well = try await product.mustRun("env", "diagnose", "ward")
            #expect(well.contains("ward is running: nothing is wrong"), "\(well)")

            try await ward.breakEverything()
            let expected = ward.expected
            let named = try await eventually(
                "every fault being named", within: .seconds(30), every: .milliseconds(300),
                lastSeen: { await ward.differences().joined(separator: "\n") },
                {
                    let codes = try await ward.codes()
                    return expected.allSatisfy { codes[$0.key] == $0.value } ? codes : nil
                })
            #expect(Set(named.values).count >= 25)

            let outcome = try await product.run("env", "diagnose", "ward")
            #expect(outcome.exitCode == 2)
            #expect(outcome.stdout.contains("ModuleNotFoundError: No module named 'stripe_sdk_that_nobody_has'"))
            #expect(outcome.stdout.contains("because of it: follower "))
            #expect(outcome.stdout.contains("fix:"))

            // What a person has to do is not done by a machine; what the machine can do, it does.
            let person = try await product.run("env", "diagnose", "ward", "--apply", "repair-missing-module")
            #expect(person.exitCode == 1)
            #expect(person.stderr.contains("only a person can do this"))
            try FileManager.default.removeItem(atPath: product.folder + "/broken")
            try await product.mustRun("env", "diagnose", "ward", "--apply", "restart-missing-module")
            let mended = try await product.environment("ward").services.first { $0.name == "missing-module" }
            #expect(mended?.state == "ready")
        }
    }
}

/// An environment whose services become ill at a word.
struct Ward {
    let product: Product
    let blueprint: String
    private(set) var expected: [String: String] = [:]

    private static let simple = [
        "missing-module", "missing-library", "missing-variable", "missing-file", "syntax-error", "disk-full",
        "too-many-open-files", "out-of-memory", "connection-refused", "listens-elsewhere", "listens-on-other-address",
        "listens-on-nothing", "killed", "segmentation-fault", "aborted", "uncaught-exception", "ends-at-once", "exits",
        "bad-configuration",
    ]
    private static let probed = [
        "probe-path-missing", "probe-answers-error", "probe-needs-login", "probe-times-out", "speaks-no-http",
    ]
    private static let files = ["program-missing", "program-not-executable", "wrong-architecture", "workdir-missing"]

    init(_ product: Product) throws {
        self.product = product
        let folder = product.folder
        try Self.copy(to: product)
        let private_ = folder + "/private"
        try Data().write(to: URL(filePath: private_))
        var services = [Self.service("healthy")]
        services += Self.simple.map { Self.service($0) }
        services += Self.probed.map {
            Self.service(
                $0, "probes: { readiness: { http: { path: /health }, timeoutSeconds: 0.2, periodSeconds: 0.2 } }")
        }
        services += Self.files.map { name in
            let place = name == "workdir-missing" ? "workdir: \(folder)/\(name)" : ""
            return Self.service(name, place, command: "[\(folder)/\(name).sh]")
        }
        for name in Self.files {
            try Self.write(
                "#!/bin/sh\ncd \(folder)\nexec /usr/bin/python3 -S ward.py \(name)\n", to: "\(folder)/\(name).sh")
        }
        try FileManager.default.createDirectory(atPath: folder + "/workdir-missing", withIntermediateDirectories: true)
        services += [
            Self.service("permission-denied", "user: nobody"),
            Self.service("literal-address", "env: { DATABASE_URL: \"postgres://app@localhost:1/shop\" }"),
            Self.service(
                "service-name-as-host", "env: { BACK: \"http://healthy:8080/\", RES_OPTIONS: \"timeout:1 attempts:1\" }"
            ),
            Self.service("host-unknown", "env: { RES_OPTIONS: \"timeout:1 attempts:1\" }"),
            Self.service("fixed-port-taken", "env: { NEIGHBOUR: \"${services.healthy.port}\" }"),
            Self.service("follower", "env: { UPSTREAM: \"${services.exits.url}\" }"),
            Self.service(
                "liveness-kills",
                "probes: { liveness: { http: { path: /live }, timeoutSeconds: 0.2, periodSeconds: 0.2, failureThreshold: 1 } }"
            ),
            Self.service(
                "log-probe-never-matches",
                "probes: { readiness: { log: { pattern: up and serving }, failureThreshold: 1, periodSeconds: 0.5 } }"),
            Self.service(
                "exec-probe-fails",
                "probes: { readiness: { exec: { command: [sh, -c, '[ ! -e broken ]'] }, periodSeconds: 0.3 } }"),
        ]
        blueprint = try product.blueprint("name: ward\nservices:\n" + services.joined(separator: "\n"))
        let others = [
            "permission-denied", "literal-address", "service-name-as-host", "host-unknown", "fixed-port-taken",
            "liveness-kills", "log-probe-never-matches", "exec-probe-fails",
        ]
        for name in Self.simple + Self.probed + Self.files + others {
            expected[name] = name.replacing("-", with: "_")
        }
    }

    private static func service(_ name: String, _ more: String = "", command: String? = nil) -> String {
        let command = command ?? "[/usr/bin/python3, -S, ward.py, \(name)]"
        return "  - { name: \(name), command: \(command), ports: [\"8080\"]\(more.isEmpty ? "" : ", \(more)") }"
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        chmod(path, 0o755)
    }

    /// Every service becomes ill and is started anew.
    func breakEverything() async throws {
        let folder = product.folder
        try FileManager.default.removeItem(atPath: folder + "/program-missing.sh")
        chmod(folder + "/program-not-executable.sh", 0o644)
        try Self.write("\u{7F}no program at all", to: folder + "/wrong-architecture.sh")
        try FileManager.default.removeItem(atPath: folder + "/workdir-missing")
        chmod(folder + "/private", 0)
        try Data().write(to: URL(filePath: folder + "/broken"))
        try Self.end(in: folder)
    }

    static func copy(to product: Product) throws {
        try FileManager.default.copyItem(
            atPath: Product.services + "/ward.py", toPath: product.folder + "/ward.py")
    }

    /// Ends the services in this folder, except the healthy ones, so that they are started anew.
    static func end(_ name: String? = nil, in folder: String) throws {
        for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap({ Int32($0) }) {
            // A process that ends while it is looked at is none of ours.
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0").map(String.init)
            guard place == folder, let index = words.firstIndex(of: "ward.py"), index + 1 < words.count else {
                continue
            }
            if name.map({ $0 == words[index + 1] }) ?? (words[index + 1] != "healthy") { kill(pid, SIGTERM) }
        }
    }

    func differences() async -> [String] {
        // What cannot be had is said as a difference.
        let codes = (try? await codes()) ?? [:]
        return expected.filter { codes[$0.key] != $0.value }.sorted { $0.key < $1.key }
            .map { "\($0.key) is \(codes[$0.key] ?? "not named")" }
    }

    /// The code of each service's finding.
    func codes() async throws -> [String: String] {
        let outcome = try await product.run("env", "diagnose", "ward", "-o", "json")
        let found = try JSONDecoder().decode(DiagnosisView.self, from: Data(outcome.stdout.utf8))
        return found.findings.reduce(into: [:]) { codes, finding in
            if let service = finding.service { codes[service] = finding.code }
        }
    }
}
