import Files
import Foundation
import Glibc

/// Where this machine's programs look for authorities that its administrator added, and what makes them look again.
package struct SystemStore: Sendable, Hashable {
    /// Files in it are added to the bundle.
    let folder: String
    let suffix: String
    /// What most programs read.
    let bundle: String
    /// Makes the bundle anew.
    let program: String
    let arguments: [String]
    /// The same, after one was taken away.
    let removalArguments: [String]

    /// The known ones, by distribution: Debian, Fedora, openSUSE, Arch. A store is there if its program is.
    ///
    /// - Parameter root: `/` outside of tests.
    package static func find(root: String = "/") -> SystemStore? {
        let root = root.hasSuffix("/") ? String(root.dropLast()) : root
        func store(
            _ folder: String, _ suffix: String, _ bundle: String, _ programs: [String], _ arguments: [String] = [],
            afterRemoval: [String]? = nil
        ) -> SystemStore? {
            guard FileManager.default.fileExists(atPath: root + folder),
                let program = programs.map({ root + $0 }).first(where: { access($0, X_OK) == 0 })
            else { return nil }
            return SystemStore(
                folder: root + folder, suffix: suffix, bundle: root + bundle, program: program, arguments: arguments,
                removalArguments: afterRemoval ?? arguments)
        }
        let debian = ["/usr/sbin/update-ca-certificates"]
        return store(
            "/usr/local/share/ca-certificates", ".crt", "/etc/ssl/certs/ca-certificates.crt", debian,
            // Without it the links to what is gone stay.
            afterRemoval: ["--fresh"])
            ?? store(
                "/etc/pki/ca-trust/source/anchors", ".pem", "/etc/pki/tls/certs/ca-bundle.crt",
                ["/usr/bin/update-ca-trust", "/usr/sbin/update-ca-trust"], ["extract"])
            ?? store("/etc/pki/trust/anchors", ".pem", "/etc/ssl/ca-bundle.pem", debian)
            ?? store(
                "/etc/ca-certificates/trust-source/anchors", ".crt", "/etc/ssl/certs/ca-certificates.crt",
                ["/usr/bin/trust"], ["extract-compat"])
    }

    package func path(of authority: LocalAuthority) -> String {
        "\(folder)/microstax-\(authority.fingerprint.short)\(suffix)"
    }

    /// Whether programs of this machine trust it: it is in what they read.
    package func trusts(_ authority: LocalAuthority) -> Bool {
        // What cannot be read trusts nobody.
        guard let bundle = FileManager.default.contents(atPath: bundle) else { return false }
        func joined(_ text: String) -> String { text.filter { !$0.isWhitespace } }
        return joined(String(decoding: bundle, as: UTF8.self)).contains(joined(authority.certificatePEM))
    }

    /// - Throws: ``StoreProblem``.
    package func install(_ authority: LocalAuthority, from certificate: String) async throws(StoreProblem) {
        let path = path(of: authority)
        do {
            try AtomicFile.write(Array(authority.certificatePEM.utf8), to: path, mode: 0o644)
        } catch {
            throw StoreProblem(
                "\(path) cannot be written: \(error.reason)",
                hint: Self.needsRoot(error) ? "sudo cp '\(certificate)' '\(path)' && sudo \(command)" : nil)
        }
        try await refresh(arguments)
        guard trusts(authority) else {
            throw StoreProblem(
                "\(command) did not put the authority into \(bundle)", hint: "see the files in \(folder)")
        }
    }

    /// Nothing where it is not there.
    ///
    /// - Throws: ``StoreProblem``.
    package func uninstall(_ authority: LocalAuthority) async throws(StoreProblem) {
        let path = path(of: authority)
        if unlink(path) != 0, errno != ENOENT {
            let failure = FileFailure("remove", path)
            throw StoreProblem(
                failure.description,
                hint: Self.needsRoot(failure)
                    ? "sudo rm '\(path)' && sudo \(([program] + removalArguments).joined(separator: " "))" : nil)
        }
        guard trusts(authority) else { return }
        try await refresh(removalArguments)
    }

    private var command: String { ([program] + arguments).joined(separator: " ") }

    private static func needsRoot(_ failure: FileFailure) -> Bool { [EACCES, EPERM].contains(failure.code) }

    private func refresh(_ arguments: [String]) async throws(StoreProblem) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let status: Int32
        do {
            status = try await withCheckedThrowingContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do { try process.run() } catch { continuation.resume(throwing: error) }
            }
        } catch {
            throw StoreProblem("\(command) could not be started: \(error.localizedDescription)", hint: nil)
        }
        guard status == 0 else {
            throw StoreProblem("\(command) failed with status \(status)", hint: "sudo \(command)")
        }
    }
}

/// Why the machine's store was not changed.
package struct StoreProblem: Error, Sendable, CustomStringConvertible {
    package let description: String
    /// The next command to type.
    package let hint: String?

    init(_ description: String, hint: String?) { (self.description, self.hint) = (description, hint) }
}
