using Sentiric.Testing.Platform;

namespace Sentiric.EventStore.Tests.Chaos;

/// <summary>Needs a file system that a test may mount and fill.</summary>
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess || Programs.Find("mount") is null) Skip = "A small disk can only be mounted as root.";
    }
}

/// <summary>A file system in memory with few megabytes, for the user of the test's PostgreSQL.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly string _mount;

    private SmallDisk(string mount) => _mount = mount;

    public string Path => System.IO.Path.Combine(_mount, "data");

    private string Ballast => System.IO.Path.Combine(_mount, "ballast");

    public static async Task<SmallDisk> MountAsync(string folder, int megabytes)
    {
        var disk = new SmallDisk(System.IO.Path.Combine(folder, "small"));
        Directory.CreateDirectory(disk._mount);
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0755", "tmpfs", disk._mount);
        Directory.CreateDirectory(disk.Path);
        await RunAsync("chown", "nobody:nogroup", disk.Path);
        return disk;
    }

    /// <summary>Takes all room but a little.</summary>
    public async Task FillAsync(int leaveKilobytes)
    {
        var free = new DriveInfo(_mount).AvailableFreeSpace - leaveKilobytes * 1024L;
        await using var ballast = File.Create(Ballast);
        var block = new byte[64 * 1024];
        for (; free > 0; free -= block.Length) await ballast.WriteAsync(block.AsMemory(0, (int)Math.Min(block.Length, free)));
    }

    public void Free() => File.Delete(Ballast);

    public async ValueTask DisposeAsync() => await RunAsync("umount", "-l", _mount);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var (code, _, error) = await Programs.RunAsync(program, arguments, Limit);
        if (code != 0) throw new InvalidOperationException($"{program} failed: {error}");
    }
}
