import ArgumentParser
import Certificates
import Commands
import Foundation

/// `microstax trust`
struct TrustInstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Add the local authority to the system's store; make it where there is none.",
        discussion: """
            EXAMPLES
              microstax trust
              microstax trust -o json
            """)

    @OptionGroup
    var options: TrustOptions

    func run() async throws {
        let folder = try TrustCommand.folder()
        let authority = try LocalAuthority.loadOrMake(folder: folder, owner: LocalAuthority.thisUser, now: Date())
        let store = SystemStore.find(root: options.systemRoot)
        if let store {
            try await store.install(authority, from: LocalAuthority.certificatePath(inFolder: folder))
        }
        let view = TrustView(authority, folder: folder, store: store)
        try options.show(view)
        guard !options.results.quiet else { return }
        let words = store == nil ? "This system's store is not known: add the certificate by its own means.\n" : ""
        FileHandle.standardError.write(Data(("\n" + words + view.advice).utf8))
    }
}
