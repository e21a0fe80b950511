import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.join.ParentJoinPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** One OpenSearch node from its jars: OpenSearchNode HOME PORT PEER-PORT. Ends with SIGTERM. */
public class OpenSearchNode extends Node {
	private static final List<Class<? extends Plugin>> PLUGINS = List.of(Netty4Plugin.class, CommonAnalysisPlugin.class,
		ReindexPlugin.class, MapperExtrasPlugin.class, ParentJoinPlugin.class, PainlessPlugin.class);

	private OpenSearchNode(Environment environment) {
		super(environment, PLUGINS, false);
	}

	public static void main(String[] arguments) throws Exception {
		Path home = Path.of(arguments[0]);
		Settings settings = Settings.builder()
			.put("cluster.name", "csvp")
			.put("node.name", "csvp")
			.put("path.home", home)
			.put("path.data", home.resolve("data"))
			.put("path.logs", home.resolve("data"))
			.put("network.host", "127.0.0.1")
			.put("http.port", arguments[1])
			.put("transport.port", arguments[2])
			.put("transport.type", "netty4")
			.put("http.type", "netty4")
			.put("discovery.type", "single-node")
			.put("cluster.routing.allocation.disk.threshold_enabled", false)
			.build();
		Node node = new OpenSearchNode(
			InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("conf"), () -> "csvp"));
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			try {
				node.close();
			} catch (Exception e) {
				e.printStackTrace();
			}
		}));
		node.start();
		new CountDownLatch(1).await();
	}
}
