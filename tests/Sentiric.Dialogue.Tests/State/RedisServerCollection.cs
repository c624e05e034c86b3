using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Dialogue.Tests;

[CollectionDefinition(nameof(RedisServer))]
public sealed class RedisServerCollection : ICollectionFixture<RedisServer>;
