import ArgumentParser
import Gateway

/// How the shared edge port speaks TLS: for `serve`, which passes it on, and for `gateway`.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Certificate for https on the shared port, PEM with its chain; read again when it changes.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("Its key, PEM.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "No https on the shared port.")
    var noTLS = false

    func validate() throws {
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-certificate and --tls-key belong together")
        }
        if noTLS, tlsCertificate != nil { throw ValidationError("--no-tls and --tls-certificate exclude each other") }
    }

    /// - Parameter usual: where nothing is said.
    func settings(otherwise usual: TLSSettings) -> TLSSettings {
        if noTLS { return .off }
        guard let tlsCertificate, let tlsKey else { return usual }
        return .files(
            certificate: BackupCommand.absolute(tlsCertificate), key: BackupCommand.absolute(tlsKey))
    }

    /// As they are passed on.
    var arguments: [String] {
        if noTLS { return ["--no-tls"] }
        guard let tlsCertificate, let tlsKey else { return [] }
        return [
            "--tls-certificate", BackupCommand.absolute(tlsCertificate), "--tls-key", BackupCommand.absolute(tlsKey),
        ]
    }
}
