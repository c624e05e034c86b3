using System.Globalization;
using Sentiric.Scenarios.Kit;
using Sentiric.Scenarios.Peers;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Sip;

/// <summary>sipvicious against the platform: from an address that is not allowed, and from one that is.</summary>
[Collection(Lanes.Wire)]
[Trait("Category", "Slow")]
public sealed class ScannerTests(SharedPlatform shared, ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);
    private readonly string folder = Directory.CreateTempSubdirectory("sentiric-scanner-").FullName;

    [PlatformFact("svmap", "svwar", "svcrack")]
    public async Task Scanners_from_a_source_that_is_not_allowed_find_nothing_at_all()
    {
        await using var platform = await RunningPlatform.StartAsync(
            new PlatformOptions { Settings = new Dictionary<string, string> { ["Sip__AllowedSources"] = "127.0.0.9/32" } });
        Assert.Contains("found nothing", await ScanAsync("svmap", platform, "127.0.0.1"), StringComparison.Ordinal);
        Assert.Contains("found nothing", await ScanAsync("svmap", platform, "-m", "INVITE", "127.0.0.1"), StringComparison.Ordinal);
        foreach (var method in new[] { "REGISTER", "INVITE", "OPTIONS" })
        {
            Assert.DoesNotContain("| ", await ScanAsync("svwar", platform, "-e", "1000-1010", "-m", method, "127.0.0.1"), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("| ", await ScanAsync("svcrack", platform, "-u", "ayse", "-r", "1-5", "127.0.0.1"), StringComparison.Ordinal);
    }

    [PlatformFact("svmap", "svwar", "svcrack")]
    public async Task From_an_allowed_source_they_find_neither_the_server_nor_a_user_nor_a_password()
    {
        var platform = await shared.GetAsync();
        Assert.Contains("found nothing", await ScanAsync("svmap", platform, "127.0.0.1"), StringComparison.Ordinal);
        var dictionary = Path.Combine(folder, "users.txt");
        await File.WriteAllTextAsync(dictionary, "ayse\nnobody\nmehmet\n1001\nsomebody\n");
        Assert.DoesNotContain("| ", await ScanAsync("svwar", platform, "-d", dictionary, "-m", "REGISTER", "127.0.0.1"), StringComparison.Ordinal);
        var passwords = Path.Combine(folder, "passwords.txt");
        await File.WriteAllTextAsync(passwords, "1234\npassword\nayse\nsesli-harfler-7\n");
        Assert.DoesNotContain("| ", await ScanAsync("svcrack", platform, "-u", "ayse", "-d", passwords, "127.0.0.1"), StringComparison.Ordinal);
        Assert.True((await platform.Api.Http.GetAsync("health/ready")).IsSuccessStatusCode, "the platform is not ready any more");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Found things come as a table with "| ".</summary>
    private async Task<string> ScanAsync(string program, RunningPlatform platform, params string[] arguments)
    {
        string[] all = ["-p", platform.SipPort.ToString(CultureInfo.InvariantCulture), .. arguments];
        var (_, said, errors) = await Programs.RunAsync(program, all, Limit, folder);
        output.WriteLine($"{program} {string.Join(' ', all)}\n{said}{errors}");
        return said + errors;
    }
}
