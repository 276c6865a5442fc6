import Testing

@testable import Blueprints

@Suite struct DiscoverTests {
    private func drafted(_ files: [(String, String)], name: String? = nil) -> (
        text: String?, notes: [String], spec: BlueprintSpec?
    ) {
        let (drafted, _) = Blueprint.discover(
            files.map { DiscoveredFile(path: $0.0, bytes: Array($0.1.utf8)) }, folder: "/src/my_shop", name: name)
        guard let drafted else { return (nil, [], nil) }
        let (document, _) = Blueprint.read(Array(drafted.text.utf8), file: "b.yaml", folder: "/src/my_shop")
        let spec = document.flatMap { Blueprint.check($0, mode: .baseline, unbuilt: .warning).spec }
        return (drafted.text, drafted.notes.map(\.rendered), spec)
    }

    @Test func draftsAServiceForEachProgram() {
        let result = drafted([
            (
                "web/package.json",
                #"{"name": "@shop/web", "scripts": {"start": "node ."}, "dependencies": {"pg": "8"}}"#
            ),
            ("web/package-lock.json", "{}"),
            ("web/Dockerfile", "FROM node\nexpose 4000/tcp 4000 5432\nEXPOSE 53/udp\n"),
            ("web/lib/package.json", #"{"scripts": {"start": "x"}}"#),
            ("api/go.mod", "module x"), ("api/cmd/api/main.go", ""), ("api/cmd/worker/main.go", ""),
            ("db/Dockerfile", "FROM postgres\nEXPOSE 5432\n"),
            ("tool/pyproject.toml", "[project]\ndependencies = ['fastapi']"), ("tool/main.py", ""),
            ("lib/Cargo.toml", "[workspace]"),
        ])
        #expect(
            result.text == """
                # Drafted by `microstax blueprint discover`. Commands and ports are guesses where a comment says so.

                name: my-shop

                services:
                  api:
                    # From api/go.mod: how such programs are usually started.
                    command: [go, run, ./cmd/api]
                    workdir: ./api
                    build: [go, build, ./...]
                    ports: ["8080"]  # a guess: it must listen on what PORT says

                  worker:
                    # From api/go.mod: how such programs are usually started.
                    command: [go, run, ./cmd/worker]
                    workdir: ./api
                    build: [go, build, ./...]
                    ports: ["8080"]  # a guess: it must listen on what PORT says

                  db:
                    # From db/Dockerfile: build it under this name, or put the `command` that starts the program on this
                    #   machine in its place.
                    image: my-shop-db
                    ports: [5432/tcp]

                  tool:
                    # From tool/pyproject.toml: how such programs are usually started.
                    command: [sh, -c, exec uvicorn main:app --port $PORT]
                    workdir: ./tool
                    build: [pip, install, .]
                    ports: ["8000"]  # a guess: it must listen on what PORT says

                  web:
                    # From web/package.json: its script `start`.
                    # It may want PostgreSQL; add it as a service.
                    command: [npm, start]
                    workdir: ./web
                    build: [npm, ci]
                    ports: ["4000", 5432/tcp]  # from web/Dockerfile

                """)
        #expect(result.spec?.service("web")?.workdir == "/src/my_shop/web")
        #expect(
            result.notes.contains("lib/Cargo.toml:1:1: left out: Cargo.toml: it does not say how something is started"))
        #expect(result.notes.contains("web/lib/package.json:1:1: left out: package.json: web stands for it"))
    }

    @Test func whatComposeSaysCounts() {
        let result = drafted([
            ("docker-compose.yml", "services: {web: {build: ./web, ports: ['80:3000']}, db: {image: 'postgres:16'}}"),
            ("docker-compose.override.yml", "services: {web: {environment: {A: b}}}"),
            ("old/compose.yaml", "services: {x: {image: x}}"),
            ("web/package.json", #"{"scripts": {"start": "node ."}}"#),
            ("worker/Procfile", "web: ./w\nqueue: ./q\nrelease: ./m\n"),
        ])
        #expect(result.spec?.services.map(\.name) == ["db", "web", "worker", "worker-queue"])
        #expect(result.spec?.service("web")?.env == ["A": "b"])
        #expect(result.spec?.service("worker-queue")?.command == ["sh", "-c", "exec ./q"])
        #expect(result.notes.contains("web/package.json:1:1: left out: package.json: web stands for it"))
        #expect(result.notes.contains("old/compose.yaml:1:1: left out: compose.yaml: docker-compose.yml stands for it"))
    }

    /// Every kind of manifest gives a draft that validates.
    @Test(arguments: [
        ("package.json", #"{"scripts": {"dev": "vite"}}"#), ("requirements.txt", "flask"), ("Cargo.toml", "[package]"),
        ("pom.xml", "<x>spring-boot-maven-plugin</x>"), ("pom.xml", ""),
        ("build.gradle", "plugins { id 'application' }"),
        ("build.gradle.kts", "org.springframework.boot"), ("Gemfile", "gem 'rails'"), ("composer.json", "{}"),
        ("Package.swift", ".executableTarget"), ("mix.exs", ":phoenix"), ("mix.exs", ""), ("Dockerfile", "FROM x"),
        ("a.csproj", "Microsoft.NET.Sdk.Web"), ("Procfile", "web: x: y\n"),
        ("compose.yaml", "services: {a: {image: a}}"),
    ])
    func everyKindGivesADraft(name: String, text: String) {
        for folder in ["", "a_b/"] {
            let result = drafted([(folder + name, text), (folder + "app.py", "")])
            #expect(result.spec?.services.count == 1, "\(result.text ?? "nothing")")
        }
    }

    @Test func nothingIsAnError() {
        let (drafted, diagnostics) = Blueprint.discover([], folder: "/x")
        #expect(drafted == nil)
        #expect(diagnostics.map(\.code) == ["nothing_found"])
    }

    @Test func foldersOfOthersAreSkipped() {
        for name in ["node_modules", ".git", "vendor", "target", ".venv"] {
            let isLookedInto = Blueprint.canDiscover(folder: name)
            #expect(!isLookedInto, "\(name)")
        }
        let isLookedInto = Blueprint.canDiscover(folder: "services")
        #expect(isLookedInto)
    }
}
