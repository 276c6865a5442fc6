import ArgumentParser
import Certificates
import Commands
import Foundation

/// `microstax trust uninstall`
struct TrustUninstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uninstall", abstract: "Take the local authority out of the system's store.",
        discussion: """
            With --delete-key its key is deleted as well, so that nobody can sign with it; the next one is another authority.

            EXAMPLES
              microstax trust uninstall
              microstax trust uninstall --delete-key
            """)

    @OptionGroup
    var options: TrustOptions

    @Flag(help: "Also delete the authority's key and certificate.")
    var deleteKey = false

    func run() async throws {
        let folder = try TrustCommand.folder()
        guard let authority = try LocalAuthority.load(folder: folder) else {
            throw CommandFailure(.failed, "there is no local authority in \(folder)", hint: "microstax trust status")
        }
        let store = SystemStore.find(root: options.systemRoot)
        try await store?.uninstall(authority)
        if deleteKey { try LocalAuthority.delete(folder: folder) }
        try options.show(TrustView(authority, folder: folder, store: store))
    }
}
