/// How programs of a kind are usually started: guesses, each with a comment that says so.
enum ProgramStart {
    static func services(of folder: ProgramFolder, label: String) -> [ProgramFolder.Service] {
        guard let manifest = folder.manifest else { return [] }
        let found: [Start]
        switch manifest.name {
        case "package.json": found = node(manifest, folder)
        case "go.mod": found = go(folder, label)
        case "pyproject.toml", "requirements.txt": found = python(manifest, folder)
        case "Cargo.toml":
            found =
                manifest.text.contains("[package]")
                ? [Start(["cargo", "run", "--release"], 8080, ["cargo", "build", "--release"])] : []
        case "pom.xml":
            let program = folder.file("mvnw") == nil ? "mvn" : "./mvnw"
            found =
                manifest.text.contains("spring-boot-maven-plugin")
                ? [Start([program, "spring-boot:run"], 8080)]
                : [Start(["sh", "-c", "exec java -jar target/*.jar"], 8080, [program, "-q", "package"])]
        case "build.gradle", "build.gradle.kts":
            let program = folder.file("gradlew") == nil ? "gradle" : "./gradlew"
            let isSpring = manifest.text.contains("org.springframework.boot")
            found =
                isSpring || manifest.text.contains("application")
                ? [Start([program, isSpring ? "bootRun" : "run"], 8080)] : []
        case "Gemfile":
            let isRails = manifest.text.contains("rails")
            let shell = isRails ? "exec bundle exec rails server -p $PORT" : "exec bundle exec rackup -p $PORT"
            found =
                isRails || folder.file("config.ru") != nil
                ? [Start(["sh", "-c", shell], 3000, ["bundle", "install"])] : []
        case "composer.json":
            found = [Start(["sh", "-c", "exec php -S 127.0.0.1:$PORT -t public"], 8000, ["composer", "install"])]
        case "Package.swift":
            found =
                manifest.text.contains("executableTarget") ? [Start(["swift", "run"], 8080, ["swift", "build"])] : []
        case "mix.exs":
            let isPhoenix = manifest.text.contains(":phoenix")
            found = [Start(["mix"] + (isPhoenix ? ["phx.server"] : ["run", "--no-halt"]), 4000, ["mix", "deps.get"])]
        default:
            let isWeb = manifest.text.contains("Microsoft.NET.Sdk.Web")
            found =
                isWeb || manifest.text.contains("<OutputType>Exe")
                ? [Start(["dotnet", "run"], isWeb ? 5000 : nil)] : []
        }
        return found.map { service($0, manifest, label) }
    }

    private struct Start {
        var command: [String]
        var port: Int?
        var build: [String]?
        var name: String?
        var why: String?

        init(_ command: [String], _ port: Int?, _ build: [String]? = nil, name: String? = nil, why: String? = nil) {
            self.command = command
            self.port = port
            self.build = build
            self.name = name
            self.why = why
        }
    }

    private static func service(_ start: Start, _ manifest: DiscoveredFile, _ label: String) -> ProgramFolder.Service {
        var fields = [DraftEntry("command", .words(start.command))]
        if let build = start.build { fields.append(DraftEntry("build", .words(build))) }
        if let port = start.port {
            fields.append(
                DraftEntry("ports", .list([.text("\(port)")]), remark: "a guess: it must listen on what PORT says"))
        }
        var comments = ["From \(manifest.path): \(start.why ?? "how such programs are usually started")."]
        let wanted = databases(manifest.text)
        if !wanted.isEmpty { comments.append("It may want \(wanted.joined(separator: " and ")); add it as a service.") }
        return ProgramFolder.Service(name: start.name ?? label, fields: fields, comments: comments, source: manifest)
    }

    /// The program that the manifest's `scripts` start.
    private static func node(_ manifest: DiscoveredFile, _ folder: ProgramFolder) -> [Start] {
        let reader = BlueprintReader(file: SourceFile(name: manifest.path, folder: "/"))
        guard let root = reader.read(manifest.bytes).value, let scripts = root["scripts"] else { return [] }
        guard let script = ["start", "serve", "dev"].first(where: { scripts[$0]?.text?.isEmpty == false }) else {
            return []
        }
        let program = folder.file("pnpm-lock.yaml") != nil ? "pnpm" : folder.file("yarn.lock") != nil ? "yarn" : "npm"
        let install = program == "npm" && folder.file("package-lock.json") != nil ? "ci" : "install"
        let name = root["name"]?.text.flatMap { $0.split(separator: "/").last.map(String.init) }
        return [
            Start(
                [program] + (script == "start" ? ["start"] : ["run", script]), 3000, [program, install],
                name: folder.path.isEmpty ? name : nil, why: "its script `\(script)`")
        ]
    }

    /// One program for each `main.go` in the module, of which those in `cmd/<name>` have names of their own.
    private static func go(_ folder: ProgramFolder, _ label: String) -> [Start] {
        let prefix = folder.path.isEmpty ? "" : folder.path + "/"
        let mains = folder.all.filter { $0.name == "main.go" && $0.path.hasPrefix(prefix) }.prefix(20)
        return mains.map { main in
            let inner = String(main.path.dropFirst(prefix.count).dropLast("main.go".count))
            guard !inner.isEmpty else { return Start(["go", "run", "."], 8080, ["go", "build", "./..."]) }
            let name = inner.split(separator: "/").last.map(String.init)
            return Start(
                ["go", "run", "./" + inner.dropLast()], 8080, ["go", "build", "./..."],
                name: mains.count > 1 ? name : label)
        }
    }

    private static func python(_ manifest: DiscoveredFile, _ folder: ProgramFolder) -> [Start] {
        let install =
            manifest.name == "requirements.txt"
            ? ["pip", "install", "-r", "requirements.txt"] : ["pip", "install", "."]
        let text = folder.files.filter { ["pyproject.toml", "requirements.txt"].contains($0.name) }.map(\.text).joined()
            .lowercased()
        if folder.file("manage.py") != nil {
            return [Start(["sh", "-c", "exec python3 manage.py runserver 127.0.0.1:$PORT"], 8000, install)]
        }
        guard let main = ["main.py", "app.py", "server.py", "wsgi.py"].first(where: { folder.file($0) != nil }) else {
            return []
        }
        let module = main.dropLast(3)
        if text.contains("uvicorn") || text.contains("fastapi") {
            return [Start(["sh", "-c", "exec uvicorn \(module):app --port $PORT"], 8000, install)]
        }
        if text.contains("flask") {
            return [Start(["sh", "-c", "exec flask --app \(module) run --port $PORT"], 8000, install)]
        }
        return [Start(["python3", main], 8000, install)]
    }

    /// Data services whose client libraries a manifest names.
    private static func databases(_ manifest: String) -> [String] {
        let text = manifest.lowercased()
        let signs: [(String, [String])] = [
            ("PostgreSQL", ["\"pg\"", "psycopg", "asyncpg", "lib/pq", "pgx", "postgres", "npgsql"]),
            ("MySQL", ["mysql"]), ("MongoDB", ["mongo"]), ("Redis", ["redis", "\"bull\"", "sidekiq", "celery"]),
            ("RabbitMQ", ["amqp", "rabbitmq", "pika"]), ("Kafka", ["kafka"]),
        ]
        return signs.filter { sign in sign.1.contains { text.contains($0) } }.map(\.0)
    }
}
