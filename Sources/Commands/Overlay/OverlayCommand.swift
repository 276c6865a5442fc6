import ArgumentParser

struct OverlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overlay",
        abstract: "Overlays: environments that run only what a change touches.",
        subcommands: [OverlayCreate.self, OverlayList.self, OverlayGet.self, OverlayRebase.self, OverlayDelete.self])
}
