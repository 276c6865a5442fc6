import API
import APIClient
import ArgumentParser
import Certificates
import Commands
import ControlPlane
import Foundation
import Storage

/// `microstax trust`: the local authority behind `https://….localhost`, and who trusts it.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Make this machine's programs trust https at localhost.",
        discussion: """
            The gateway answers https://<service>.<environment>.localhost:7080 with certificates of a local authority, whose
            key stays in the state folder. The authority can speak for localhost, names below it and loopback addresses
            only. `microstax trust` adds it to the system's store, which needs root.
            """,
        subcommands: [TrustInstall.self, TrustStatus.self, TrustUninstall.self], defaultSubcommand: TrustInstall.self)

    static func folder() throws -> String {
        ServerFolder(existing: try StateFolder(environment: ProcessInfo.processInfo.environment).path).authority
    }
}

/// Common to all of `trust`.
struct TrustOptions: ParsableArguments {
    @OptionGroup
    var results: BackupOptions

    @Option(help: ArgumentHelp("Where the system's store is looked for.", visibility: .hidden))
    var systemRoot = "/"

    func show(_ view: TrustView) throws { try results.show(view, quietly: [view.certificate]) { view.table } }
}

/// What `trust` and `trust status` print.
struct TrustView: Codable {
    /// Path of the authority's certificate, in PEM.
    var certificate: String
    /// SHA-256.
    var fingerprint: String
    /// RFC 3339, UTC.
    var validUntil: String
    /// `trusted`, `absent`, or `unknown` where this system's store is not known.
    var system: String

    init(_ authority: LocalAuthority, folder: String, store: SystemStore?) {
        certificate = LocalAuthority.certificatePath(inFolder: folder)
        fingerprint = authority.fingerprint.description
        validUntil = ISO8601DateFormatter().string(from: authority.notAfter)
        system = store.map { $0.trusts(authority) ? "trusted" : "absent" } ?? "unknown"
    }

    var table: String {
        """
        certificate  \(certificate)
        fingerprint  \(fingerprint)
        valid until  \(validUntil)
        system       \(system)

        """
    }

    /// What programs with a store of their own need.
    var advice: String {
        """
        Programs that do not read the system's store:
          curl               curl --cacert \(certificate) https://…
          Node.js            export NODE_EXTRA_CA_CERTS=\(certificate)
          Python (requests)  export REQUESTS_CA_BUNDLE=\(certificate)
          Chrome, Chromium   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n microstax -i \(certificate)
          Firefox            Settings > Privacy & Security > View Certificates > Authorities > Import: that file
          Java               keytool -importcert -cacerts -noprompt -alias microstax -file \(certificate)
        A program in a container or on another machine does not see this authority.

        """
    }
}

extension AuthorityProblem: ReportableError {
    package var commandFailure: CommandFailure { CommandFailure(.failed, description, hint: hint) }
}

extension StoreProblem: ReportableError {
    package var commandFailure: CommandFailure { CommandFailure(.failed, description, hint: hint) }
}
