namespace Sentiric.Scenarios.Kit;

/// <summary>The servers that the environment names.</summary>
internal static class Servers
{
    public const string RabbitVariable = "SENTIRIC_TEST_RABBIT";
    public const string RedisVariable = "SENTIRIC_TEST_REDIS";
    private const int RedisDatabases = 16;
    private static int nextDatabase = Random.Shared.Next(RedisDatabases);

    public static string Rabbit => Environment.GetEnvironmentVariable(RabbitVariable) ?? throw new InvalidOperationException($"{RabbitVariable} is not set.");

    /// <summary>Another database each time: a platform adopts the calls that it finds in its own.</summary>
    public static string Redis() =>
        $"{Environment.GetEnvironmentVariable(RedisVariable)},defaultDatabase={Interlocked.Increment(ref nextDatabase) % RedisDatabases}";
}
