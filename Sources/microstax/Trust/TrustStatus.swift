import ArgumentParser
import Certificates
import Commands
import Foundation

/// `microstax trust status`
struct TrustStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the local authority, and whether the system's store has it.",
        discussion: """
            EXAMPLES
              microstax trust status
              curl --cacert "$(microstax trust status --quiet)" https://web.shop.localhost:7080/
            """)

    @OptionGroup
    var options: TrustOptions

    func run() async throws {
        let folder = try TrustCommand.folder()
        guard let authority = try LocalAuthority.load(folder: folder) else {
            throw CommandFailure(.failed, "there is no local authority in \(folder) yet", hint: "microstax trust")
        }
        let view = TrustView(authority, folder: folder, store: SystemStore.find(root: options.systemRoot))
        try options.show(view)
        if !options.results.quiet { FileHandle.standardError.write(Data(("\n" + view.advice).utf8)) }
    }
}
